"""The Management API under /api/v1: the part of it about users, groups, apps, policies, schemas, hooks and the log."""
