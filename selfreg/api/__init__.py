"""The sign-up as JSON, for single-page and mobile front ends: the same rules, limits and hooks as the pages.

``path("signup/api/", include("selfreg.api.urls"))`` mounts it. Needs django-ninja:
``pip install "django-selfreg[api]"``.
"""
