"""Finds wrong settings of the org and of this site, without creating an account; ``setup`` corrects those of the org.

Reading order: ``findings`` (a table of everything that can be wrong), ``evidence`` (the data about site and org),
``collect`` (reads them from the org) with ``documents`` (those of the Management API), ``checks`` (pure functions from
evidence to findings), ``facts`` (useful to know, not wrong), ``examination`` (runs everything and makes the report),
``report_i18n`` (translates a stored report).
"""
