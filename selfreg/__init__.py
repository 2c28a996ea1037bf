"""Self-service registration for Django sites whose users have their accounts in Okta (Identity Engine).

Where things are, from the protocol up to the pages:

- ``idx``: Okta's Identity Engine protocol, without Django. ``okta_api``: Okta's Management API.
- ``models``: the tables. ``encryption``, ``addresses``, ``rate_limits``, ``cache``, ``conf``: used by all other parts.
- ``web``: the visitor of a request, and safe redirects.
- ``registration``: one attempt to sign up: state, transitions, calls to the org, recovery, retention.
- ``accounts``: Okta identities and Django users. ``auth``: the authentication backend.
- ``texts``: every sentence a visitor reads. ``forms``: a Django form built from a step of the org.
- ``flows``: what a visitor's request does; ``views`` (pages) and ``api`` (JSON) share it.
- ``admin``, ``reports``, ``doctor``: what administrators see, count and check. ``management``: the commands.

Imports run one way; the contract is in ``pyproject.toml`` (``make lint``).
"""

__version__ = "0.1.0"
