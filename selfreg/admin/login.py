"""A brake on guessing passwords at the sign-in of Django admin: ``admin.site.login_form = LimitedLoginForm``."""

import unicodedata
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from selfreg.conf import conf
from selfreg.idx.document import Message
from selfreg.rate_limits import consume
from selfreg.texts.messages import say
from selfreg.web.client_address import client_ip


class LimitedLoginForm(AdminAuthenticationForm):
    """Counts every try by name, by IP address and by both, before the password is looked at.

    Success resets nothing. From one address few tries are left for a name, so that nobody keeps its owner out from
    elsewhere with as few.
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
    """Return one form for all spellings that a database may take for one name: MySQL ignores case and accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if unicodedata.category(c)[0] not in "MC").strip()[:150]
