"""The org's settings as typed values, and their JSON form."""
