"""Okta identities and the Django users they belong to: lookup, account linking, email verification."""
