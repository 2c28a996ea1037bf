"""The checks: pure functions that yield findings for evidence.

``connection``: the org's address, clocks, limits, access to the Management API. ``app``: its credentials, grants, URIs
and assignment. ``policy``: sign-up, authenticators, the form. ``site``: this site's own settings.
"""
