"""The Identity Engine endpoints."""
