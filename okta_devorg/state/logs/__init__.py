"""What the org writes down: the protocol calls it answered, and the System Log."""
