"""The org's settings, and their JSON form."""
