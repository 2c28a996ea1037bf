"""Okta's Management API, as an administrator of this site may use it. No step of a sign-up comes here.

``client``: one client, for an API token or an OAuth service app. ``authorization``: the Authorization header of either.
``scopes``: what a service app asks for. ``accounts``: repairs of accounts, and mailed codes.
"""
