"""The sign-up as JSON, for single-page and mobile front ends, with the rules, limits and hooks of the pages.

``path("signup/api/", include("selfreg.api.urls"))`` mounts it. Needs django-ninja:
``pip install "django-selfreg[api]"``.
"""
