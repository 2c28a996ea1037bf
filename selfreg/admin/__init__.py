"""Registrations in Django admin: administrators can view them, and change them by actions only.

- ``registrations``: the list and the URLs. ``pagination``, ``filters``, ``columns``: the parts of the list.
- ``registration_page``, ``explanation``: the page of one registration, and what its row means.
- ``actions``: what can be done. ``roles``: who may do it.
- ``funnel_page``, ``policy_page``, ``export``: the pages beside the list.
- ``identities``, ``doctor_runs``: the other two models. ``read_only``: their common base. ``labels``: names for values.
"""

from selfreg.admin import doctor_runs, identities, registrations  # noqa: F401  (importing registers them)
