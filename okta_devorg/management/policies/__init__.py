"""Policies and their rules.

The default policy of each type and its catch-all rule show and change the org's own settings. Other policies and rules
keep a patch of the settings for the users, groups and apps they are for.
"""
