"""Okta's Management API: one client, one error mapping."""
