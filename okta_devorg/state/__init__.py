"""Everything one org remembers: users, groups, transactions, sessions, grants, messages, policies, logs, its clock."""
