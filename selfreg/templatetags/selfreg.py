"""``{% load selfreg %}``: tags for a site's own pages."""

from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings as django_settings
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from selfreg import cache
from selfreg.accounts.email_verification import can_send
from selfreg.accounts.identities import identity_of
from selfreg.accounts.users import address_of
from selfreg.conf import Conf, conf
from selfreg.email_addresses import canonical, likely_meant
from selfreg.error_reports import without_values
from selfreg.flows.session import CLAIMS
from selfreg.idx.client import Visitor
from selfreg.idx.deadline import at_most
from selfreg.idx.errors import IdxError
from selfreg.models import OktaIdentity
from selfreg.registration.policy import SignUpUnavailable, connect, sign_up_form
from selfreg.texts import labels, messages
from selfreg.web import orgs
from selfreg.web.visitor import visitor_of

register = template.Library()
# How a link to help, terms or privacy may begin: never with a script.
LINK_BEGINNINGS = ("https://", "http://", "mailto:", "/")
OFFERED_CACHE_KEY = "selfreg:offered"
OFFERED_CACHE_SECONDS = 60
UNREACHABLE_SECONDS = 5
# How long a page of the site may wait for the org.
ASK_SECONDS = 3.0
IDENTITY = "selfreg_identity"


@register.simple_tag(takes_context=True)
@without_values
def sign_up_offered(context: Any) -> bool:
    """``{% sign_up_offered as offered %}``: whether the org's policy lets people sign up now.

    The org is asked at most once a minute for all visitors. If it can't be reached or the cache is down, the result is
    True, because the sign-up page explains to visitors if it has no form.
    """
    settings = _settings(context)
    key = cache.name_of(OFFERED_CACHE_KEY, settings.org)
    is_offered = cache.get(key)
    if is_offered is None and not cache.is_down():
        request, seconds = context.get("request"), OFFERED_CACHE_SECONDS
        visitor = visitor_of(request, settings) if request else Visitor()
        try:
            with at_most(ASK_SECONDS):
                sign_up_form(connect(settings, visitor))
            is_offered = True
        except SignUpUnavailable:
            is_offered = False
        except IdxError:
            is_offered, seconds = True, UNREACHABLE_SECONDS
        cache.keep(key, is_offered, seconds)
    return is_offered is not False


@register.simple_tag(takes_context=True)
def email_is_proven(context: Any) -> bool:
    """``{% email_is_proven as proven %}``: whether the address of the logged-in user is verified.

    False for visitors who are not logged in, and for users without an Okta identity.
    """
    identity = _identity(context)
    return identity is not None and identity.email_verified_at is not None


@register.simple_tag(takes_context=True)
def sign_in_url(context: Any) -> str:
    """``{% sign_in_url %}``: the URL that leads to the sign-in of the page's org."""
    return orgs.sign_in_url(_settings(context).org)


@register.simple_tag(takes_context=True)
def site_links(context: Any) -> dict[str, str]:
    """``{% site_links as links %}``: URLs, or "".

    They are ``links.support``, ``links.terms``, ``links.privacy`` and ``links.reset_password``.
    """
    settings = _settings(context)
    support = f"mailto:{settings.support}" if canonical(settings.support) else settings.support
    links = {
        "support": support,
        "terms": settings.terms_url,
        "privacy": settings.privacy_url,
        "reset_password": settings.reset_password_url,
    }
    return {name: url if url.startswith(LINK_BEGINNINGS) else "" for name, url in links.items()}


# ``{% likely_meant email as meant %}``, ``{% between_sentences %}`` and ``{{ wait|duration }}``.
register.simple_tag(likely_meant)
register.simple_tag(labels.between_sentences)
register.filter(messages.duration)


@register.filter
def in_groups(key: str) -> str:
    """``{{ secret|in_groups }}``: a key in groups of four characters, for reading it out."""
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))


@register.simple_tag
def full_name(user: Any) -> str:
    """``{% full_name user as name %}``: given and family name in the order of the visitor's language.

    "" for users who are not logged in, or if the user model has no such names.
    """
    return labels.full_name(getattr(user, "first_name", ""), getattr(user, "last_name", ""))


@register.simple_tag
def language_options() -> SafeString:
    """``{% language_options as options %}``: an ``option`` for each language of the site, with the current one
    selected; "" if there is only one language.
    """
    return _language_options(get_language() or "", tuple(django_settings.LANGUAGES))


# Cached, because it is the same on every page.
@lru_cache(maxsize=128)
def _language_options(current: str, languages: tuple[tuple[str, str], ...]) -> SafeString:
    options = ((code, SafeString(" selected") if code == current else "", gettext(name)) for code, name in languages)
    listed = format_html_join("", '<option value="{0}" lang="{0}"{1}>{2}</option>', options)
    return listed if len(languages) > 1 else SafeString("")


@register.simple_tag(takes_context=True)
def site_name(context: Any) -> str:
    """``{% site_name as name %}``: the name of the site, as the sign-up pages show it."""
    return _settings(context).name


@register.inclusion_tag("selfreg/email_notice.html", takes_context=True)
def email_notice(context: Any) -> dict[str, Any]:
    """``{% email_notice %}``: tells logged-in users with an unverified address how to verify it.

    :return: the context of ``selfreg/email_notice.html``
    """
    request, identity = context["request"], _identity(context)
    email = ""
    if identity is not None and identity.email_verified_at is None:
        email = address_of(request.user) or request.session.get(CLAIMS, {}).get("email", "")
    return {
        "unproven": bool(email),
        "email": email,
        "sendable": bool(email) and can_send(orgs.settings_of_session(request)),
        "csrf_token": context.get("csrf_token"),
        "next": request.get_full_path(),
        "request": request,
    }


def _identity(context: Any) -> OktaIdentity | None:
    """Return the Okta identity of the logged-in user, if there is one. All tags of a template share one query."""
    request, memory = context.get("request"), context.render_context
    if IDENTITY not in memory:
        user = getattr(request, "user", None)
        memory[IDENTITY] = identity_of(user, orgs.settings_of_session(request).issuer) if user is not None else None
    identity: OktaIdentity | None = memory[IDENTITY]
    return identity


def _settings(context: Any) -> Conf:
    """Return the settings of the page's org, or of the default org if there is no request."""
    request = context.get("request")
    return conf() if request is None else orgs.settings_of_page(request)
