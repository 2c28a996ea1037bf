"""``{% load selfreg %}``: what a site's own pages show of the sign-up."""

from typing import Any

from django import template

from selfreg import cache
from selfreg.accounts.email_verification import can_send
from selfreg.accounts.identities import identity_of
from selfreg.conf import conf
from selfreg.idx.errors import IdxError
from selfreg.registration.policy import SignUpUnavailable, client_for, sign_up_form
from selfreg.texts import labels
from selfreg.web.visitor import visitor_of

register = template.Library()
OFFERED = "selfreg:offered"
OFFERED_SECONDS = 60


@register.simple_tag(takes_context=True)
def sign_up_offered(context: Any) -> bool:
    """``{% sign_up_offered as offered %}``: whether the org's policy lets people sign up now.

    Asked at most once a minute for all visitors. While the org cannot be reached the answer is yes: its page says more.
    """
    known = cache.get(OFFERED)
    if known is None:
        try:
            sign_up_form(client_for(visitor_of(context["request"])))
            known = True
        except SignUpUnavailable:
            known = False
        except IdxError:
            return True
        cache.keep(OFFERED, known, OFFERED_SECONDS)
    return bool(known)


@register.simple_tag(takes_context=True)
def email_is_proven(context: Any) -> bool:
    """``{% email_is_proven as proven %}``: whether the address of the signed-in person is proven, as known now."""
    request = context["request"]
    identity = identity_of(request.user) if hasattr(request, "user") else None
    return identity is not None and identity.email_verified_at is not None


@register.simple_tag
def full_name(user: Any) -> str:
    """``{% full_name user as name %}``: given and family name in the order of the visitor's language.

    "" for somebody who is not signed in, and where the site's user model has no such names.
    """
    return labels.full_name(getattr(user, "first_name", ""), getattr(user, "last_name", ""))


@register.simple_tag
def between_sentences() -> str:
    """``{% between_sentences %}``: what the visitor's language writes there, a space or nothing."""
    return labels.between_sentences()


@register.simple_tag
def site_name() -> str:
    """``{% site_name as name %}``: what the site is called on the pages of the sign-up."""
    return conf().name


@register.inclusion_tag("selfreg/email_notice.html", takes_context=True)
def email_notice(context: Any) -> dict[str, Any]:
    """``{% email_notice %}``: tells a signed-in person whose address is not proven, and how to prove it. Else
    nothing.
    """
    request = context["request"]
    identity = identity_of(request.user) if hasattr(request, "user") else None
    unproven = identity is not None and identity.email_verified_at is None
    again = {"sendable": unproven and can_send(), "csrf_token": context.get("csrf_token")}
    return {"unproven": unproven, "request": request, "next": request.get_full_path(), **again}
