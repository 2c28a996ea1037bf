"""One attempt to sign up: its state, its transitions, its calls to the org, and its clean-up."""
