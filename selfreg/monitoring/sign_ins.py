"""Log lines for every login and logout of the site, by whatever backend: Okta's, the admin's, another one."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from selfreg.monitoring import events


def _signed_in(user: Any, **_: Any) -> None:
    events.signed_in(user.pk, getattr(user, "backend", ""))


def _signed_out(user: Any, **_: Any) -> None:
    if user is not None:
        events.signed_out(user.pk)


def _failed(**_: Any) -> None:
    # Without what was typed: people type passwords into the field for the name.
    events.sign_in_refused()


def watch() -> None:
    """Start to write them."""
    for signal, receiver in (
        (user_logged_in, _signed_in),
        (user_logged_out, _signed_out),
        (user_login_failed, _failed),
    ):
        signal.connect(receiver, dispatch_uid="selfreg.sign_ins")
