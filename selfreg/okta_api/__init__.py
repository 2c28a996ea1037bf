"""Okta's Management API, for the doctor, for administrators, and for sending mails again. Sign-ups do not use it.

``client``: one client, for an API token or an OAuth service app. ``authorization``: the Authorization header of either.
``scopes``: what a service app asks for. ``accounts``: repairs of accounts, and mailed codes.
"""
