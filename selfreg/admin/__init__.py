"""Registrations in Django admin: to be watched, and acted on through actions only.

Reading order: ``registrations`` (the list, the page of one, their URLs), ``listing`` and ``filters`` (how the list
stays quick), ``standing`` (what a row means for an administrator), ``acts`` (what can be done), ``funnel_page``,
``policy_page``, ``export``, ``doctor_runs``.
"""

from selfreg.admin import doctor_runs, identities, registrations  # noqa: F401  (importing registers them)
