"""Sign-ups to compare with: the least that the protocol allows, and Django's own registration packages.

Each module is the settings, URLs and views of one site, served by gunicorn like the demo.
"""
