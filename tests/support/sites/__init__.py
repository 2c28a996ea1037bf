"""Sites that are unlike the demo, each walked in a process of its own (`walk`)."""
