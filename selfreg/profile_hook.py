"""The site's own word on a profile: ``SELFREG["PROFILE_HOOK"]``, asked before a profile goes to Okta.

The hook is ``def hook(profile: dict) -> dict | None``. It may return an amended profile, return None to leave it
as it is,
or raise ``ProfileRefused``. The same function decides for Okta's registration inline hook, so sign-ups that do not come
through these pages meet the same rules.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.module_loading import import_string

from selfreg.conf import conf

Profile = dict[str, Any]


class ProfileRefused(Exception):
    """This profile may not register. ``errors`` maps Okta's attribute names to what to say beside them; "" is the
    page.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("profile refused")
        self.errors = dict(errors)


def judged(profile: Profile) -> Profile:
    """The profile as the site's hook leaves it.

    :raises ProfileRefused: the hook says no
    """
    path = conf().profile_hook
    if not path:
        return profile
    hook: Callable[[Profile], Profile | None] = import_string(path)
    amended = hook(dict(profile))
    return profile if amended is None else amended
