"""The org as a WSGI app: its routes, what happens around every request, and the answers to errors and faults."""
