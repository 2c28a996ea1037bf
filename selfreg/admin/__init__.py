"""Registrations in Django admin: administrators can view them, and change them by actions only.

- ``registrations``: the list and the URLs. ``tabs``, ``filters``, ``columns`` with ``reasons``, ``pagination``: the
  parts of the list. ``way_back``: leads back to it.
- ``registration_page``, ``explanation``, ``story``: the page of one registration, what its row means, what happened.
- ``actions``: what can be done. ``roles``: who may do it. ``addresses``: who sees whose address.
- ``menu``, ``start_page``: what the app adds to the admin's start page and menu. ``console``: links to Okta.
- ``funnel_page`` with ``chart``, ``funnel_files``, ``policy_page``, ``export``: the pages beside the list.
- ``identities``, ``doctor_runs``: the other two models. ``read_only``: their common base. ``labels``: names for values.
"""

from django.contrib import admin

from selfreg.admin import doctor_runs, identities, registrations  # noqa: F401  (importing registers them)
from selfreg.admin.menu import extend

extend(admin.site)
