"""The site's own word on a profile: ``SELFREG["PROFILE_HOOK"]``, asked before a profile goes to Okta.

The hook is ``def hook(profile: dict) -> dict | None``. It may return an amended profile, return None to leave it as it
is, or raise ``ProfileRefused``. The same function decides for Okta's registration inline hook, so sign-ups that do not
come through these pages meet the same rules.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.module_loading import import_string

from selfreg.idx.document import Message
from selfreg.texts.messages import say

Profile = dict[str, Any]

logger = logging.getLogger(__name__)


def reason_unusable(path: str) -> str:
    """Why the hook of this dotted path could not be called, in English; "" when it can be, or when there is none."""
    try:
        return "" if not path or callable(import_string(path)) else "it is no function"
    except ImportError as error:
        return str(error)


class ProfileRefused(Exception):
    """This profile may not register. ``errors`` maps Okta's attribute names to what to say beside them; "" is the
    page.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("profile refused")
        self.errors = dict(errors)


def judge(path: str, profile: Profile) -> Profile:
    """The profile as the site's hook leaves it.

    :param path: the hook's dotted path, "" for none
    :raises ProfileRefused: the hook says no, or is broken: what nobody judged does not pass
    """
    if not path:
        return profile
    try:
        hook: Callable[[Profile], Profile | None] = import_string(path)
        amended = hook(dict(profile))
        return profile if amended is None else dict(amended)
    except ProfileRefused:
        raise
    except Exception as error:
        logger.exception("SELFREG['PROFILE_HOOK'] (%s) failed. All sign-ups are rejected until this is fixed.", path)
        raise ProfileRefused({"": say(Message("", "selfreg.unreachable"))}) from error
