"""The authenticators: what each one is, what users must set up or prove, and the rules for what they type."""
