"""Self-service registration for Django sites whose people live in Okta (Identity Engine).

Reading order: ``idx.response`` (what Okta says), ``idx.client`` (how we ask), ``steps`` (what it means for a visitor),
``models`` (the row), ``conversation`` (one call and what becomes of it), ``enrollment`` (one registration, from begin
to finish), ``auth`` (the hand-off to Django), ``forms``, ``beginning`` and ``progress`` (what a visitor's request
does), ``views`` (the pages) and ``api`` (the same as JSON).
"""

__version__ = "0.1.0"
