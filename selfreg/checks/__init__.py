"""System checks: settings with which the first sign-up would fail, or would be insecure. They use no network.

Each row of the tables is one check: its id, a function that returns the cases to report, and the message and the hint
for each case (``base.Check``). Each module is about one subject: ``settings`` is the dict ``SELFREG``, ``site`` and
``surroundings`` are the site around it, the others say it by their names.
"""

from selfreg.checks import (  # noqa: F401  (importing a module registers its checks)
    databases,
    hardening,
    operations,
    settings,
    several_orgs,
    site,
    surroundings,
    users,
)  # fmt: skip
