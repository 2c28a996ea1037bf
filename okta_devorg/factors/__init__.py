"""What a user can enroll, and the rules for it. Pure."""
