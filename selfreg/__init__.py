"""Self-service registration for Django sites that keep their user accounts in Okta (Identity Engine).

What is where, from the bottom up:

- ``idx``: a client of Okta's protocol for signing up, without Django. ``okta_api``: a client of its Management API.
- ``models``: the tables. ``statuses``, ``conf``, ``encryption``, ``rate_limits``, ``cache``, ``database_connections``,
  ``email_addresses``, ``phone_numbers``: what everything uses. The last two compare and mask.
- ``monitoring``: logs, metrics and traces.
- ``web``: what is read from a request, and which redirects are safe.
- ``texts``: every sentence that a visitor reads.
- ``accounts``: which Django user belongs to which Okta account. ``auth``: the authentication backend.
- ``registration``: one sign-up: its state, commands, transitions and calls to Okta; recovery and clean-up.
- ``forms``: a Django form for any step that Okta sends.
- ``flows``: what a visitor's request does; ``views`` (pages) and ``api`` (JSON) share it.
- ``admin``, ``reports``, ``doctor``: what administrators see, count and check. ``management``: the commands.
- ``checks``: Django's system checks. ``boot``: what a worker does before its first visitor.

Imports run one way; the contract is in ``pyproject.toml`` (``make lint``). docs/architecture.md follows three requests
through these folders.
"""

__version__ = "0.1.0"
