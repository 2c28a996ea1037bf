"""``{% load selfreg %}``: tags for a site's own pages."""

from typing import Any

from django import template

from selfreg import cache
from selfreg.accounts.email_verification import can_send
from selfreg.accounts.identities import identity_of
from selfreg.conf import conf
from selfreg.idx.errors import IdxError
from selfreg.models import OktaIdentity
from selfreg.registration.policy import SignUpUnavailable, connect, sign_up_form
from selfreg.texts import labels
from selfreg.web.visitor import visitor_of

register = template.Library()
OFFERED_CACHE_KEY = "selfreg:offered"
OFFERED_CACHE_SECONDS = 60


@register.simple_tag(takes_context=True)
def sign_up_offered(context: Any) -> bool:
    """``{% sign_up_offered as offered %}``: whether the org's policy lets people sign up now.

    The org is asked at most once a minute for all visitors. While it cannot be reached the answer is True: the sign-up
    page tells visitors more.
    """
    is_offered = cache.get(OFFERED_CACHE_KEY)
    if is_offered is None:
        try:
            settings = conf()
            sign_up_form(connect(settings, visitor_of(context["request"], settings)))
            is_offered = True
        except SignUpUnavailable:
            is_offered = False
        except IdxError:
            return True
        cache.keep(OFFERED_CACHE_KEY, is_offered, OFFERED_CACHE_SECONDS)
    return bool(is_offered)


@register.simple_tag(takes_context=True)
def email_is_proven(context: Any) -> bool:
    """``{% email_is_proven as proven %}``: whether the address of the logged-in user is proven.

    False for visitors who are not logged in, and for users without an Okta identity.
    """
    identity = _identity(context)
    return identity is not None and identity.email_verified_at is not None


@register.simple_tag
def full_name(user: Any) -> str:
    """``{% full_name user as name %}``: given and family name in the order of the visitor's language.

    "" for users who are not logged in, and where the site's user model has no such names.
    """
    return labels.full_name(getattr(user, "first_name", ""), getattr(user, "last_name", ""))


@register.simple_tag
def between_sentences() -> str:
    """``{% between_sentences %}``: what the visitor's language writes between sentences, a space or nothing."""
    return labels.between_sentences()


@register.simple_tag
def site_name() -> str:
    """``{% site_name as name %}``: the name of the site, as the sign-up pages show it."""
    return conf().name


@register.inclusion_tag("selfreg/email_notice.html", takes_context=True)
def email_notice(context: Any) -> dict[str, Any]:
    """``{% email_notice %}``: tells logged-in users whose address is not proven how to prove it; else nothing.

    :return: the context of ``selfreg/email_notice.html``
    """
    request, identity = context["request"], _identity(context)
    unproven = identity is not None and identity.email_verified_at is None
    again = {"sendable": unproven and can_send(conf()), "csrf_token": context.get("csrf_token")}
    return {"unproven": unproven, "request": request, "next": request.get_full_path(), **again}


def _identity(context: Any) -> OktaIdentity | None:
    """Returns the Okta identity of the logged-in user, if there is one."""
    request = context["request"]
    return identity_of(request.user) if hasattr(request, "user") else None
