"""Everything the org remembers: users, transactions, grants, sessions, messages, keys."""
