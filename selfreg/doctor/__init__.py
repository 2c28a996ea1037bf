"""What is set wrong, in the org or here, found without creating anybody; ``setup`` puts the org right.

Reading order: ``findings`` (everything that can be wrong, as a table), ``evidence`` (what is known of site and org),
``collect`` (how it is learned; all I/O) with ``documents`` (what the Management API shows), ``checks`` (pure: evidence
in, findings out), ``facts`` (worth knowing, not wrong), ``examination`` (runs it all and makes the report),
``report_i18n`` (translates a stored report).
"""
