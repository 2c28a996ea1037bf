"""A real Chromium in front of the running demo site."""
