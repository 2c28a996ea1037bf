"""Slows down guessing passwords of Django admin: ``admin.site.login_form = LimitedLoginForm``."""

import unicodedata
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from selfreg.conf import conf
from selfreg.idx.document import Message
from selfreg.rate_limits import consume
from selfreg.texts.messages import say
from selfreg.web.visitor import client_ip


class LimitedLoginForm(AdminAuthenticationForm):
    """Counts every try by name, by IP address and by both, before it checks the password.

    A success does not reset the counters. The lowest limit is for name and address together, so that an attacker does
    not easily lock out the owner of a name.
    """

    def clean(self) -> Any:
        """Refuse the try if one of the limits is used up."""
        name = _folded(str(self.cleaned_data.get("username", "")))
        ip = client_ip(self.request, conf()) if self.request else ""
        hits = {"login by name and ip": f"{name} {ip}", "login by name": name, "login by ip": ip}
        if wait := consume(hits):
            raise ValidationError(say(Message("", "selfreg.rate_limited", (str(wait),))), code="limited")
        return super().clean()


def _folded(name: str) -> str:
    """Return the same text for all spellings that a database may treat as equal: MySQL ignores case and accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if unicodedata.category(c)[0] not in "MC").strip()[:150]
