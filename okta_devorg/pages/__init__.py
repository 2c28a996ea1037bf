"""The HTML pages of the org."""
