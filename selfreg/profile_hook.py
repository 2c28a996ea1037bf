"""The site's own rules for profiles: ``SELFREG["PROFILE_HOOK"]`` is called before a profile goes to Okta.

The hook is ``def hook(profile: dict) -> dict | None``. It can return a changed profile, return None to keep it as it
is, or raise ``ProfileRefused``. Okta's registration inline hook calls the same function, so that sign-ups on Okta's own
pages follow the same rules.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.module_loading import import_string

from selfreg.error_reports import log_exception
from selfreg.idx.document import Message
from selfreg.texts.messages import say

__all__ = ["ProfileRefused"]

Profile = dict[str, Any]

logger = logging.getLogger(__name__)


def reason_unusable(path: str) -> str:
    """Return in English why the hook of this dotted path cannot be called; "" when it can be, or the path is empty."""
    try:
        return "" if not path or callable(import_string(path)) else "it is not a function"
    except ImportError as error:
        return str(error)


class ProfileRefused(Exception):
    """Raised by a hook to reject a profile.

    :param errors: Okta's attribute name -> message to show beside that field; the key "" is for the whole page
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("profile refused")
        self.errors = dict(errors)


def judge(path: str, profile: Profile) -> Profile:
    """Return the profile as the site's hook changed it.

    :param path: the hook's dotted path, "" for none
    :raises ProfileRefused: the hook refused the profile, or failed: a profile that was not checked may not register
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
        log_exception(
            logger, "SELFREG['PROFILE_HOOK'] (%s) failed. All sign-ups are rejected until this is fixed.", path
        )
        raise ProfileRefused({"": say(Message("", "selfreg.unreachable"))}) from error
