"""Helpers of the tests, each imported by its name: ``from support.person import Person``."""
