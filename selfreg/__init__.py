"""Self-service registration for Django sites whose people live in Okta (Identity Engine).

Reading order: ``idx.response`` (what Okta says), ``idx.client`` (how we ask), ``steps`` (what it means for a visitor),
``models`` (the row), ``conversation`` (one call and what becomes of it), ``enrollment`` (one registration, from begin
to finish), ``auth`` (the hand-off to Django), ``forms`` and ``views`` (the pages).
"""

__version__ = "0.1.0"
