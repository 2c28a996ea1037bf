"""Checks of the dict ``SELFREG``."""

import ssl
from collections.abc import Iterator
from dataclasses import fields
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings as django_settings
from django.core.checks import Tags

from selfreg.checks.base import Cases, Check, register_table, when
from selfreg.conf import LISTS, MANDATORY, OPTIONAL, SECRETS, SETTING_NAMES, URLS, Conf, is_usable, written
from selfreg.email_addresses import canonical
from selfreg.encryption import decoded_key
from selfreg.idx.credentials import METHODS, Credentials
from selfreg.secret import Secret

LOOPBACK = ("127.0.0.1", "localhost", "::1")
REQUIRED = {
    "ISSUER": "Use the org, https://example.okta.com, or its authorization server, https://example.okta.com/oauth2/default.",
    "CLIENT_ID": "You find it in the Admin Console: Applications > (app) > General.",
    "BASE_URL": "Use the origin of this site as visitors see it: https://www.example.com.",
}
CLIENT_AUTH = tuple(method for method in METHODS if method != "none")
NEW_KEY = "python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
KEY_HINT = f"Use 32 random bytes as URL-safe base64, not SECRET_KEY. Create a key: {NEW_KEY}"
EXPECTED = {bool: "True or False", int: "a whole number", float: "a number"}


def _unknown_keys(settings: Conf) -> Cases:
    return ({"key": key} for key in sorted(set(written(settings.org)) - SETTING_NAMES))


def _no_lists(settings: Conf) -> Cases:
    values = {name.upper(): written(settings.org).get(name.upper(), ()) for name in LISTS}
    return ({"key": key} for key, value in values.items() if not isinstance(value, list | tuple | set | frozenset))


def _wrong_types(settings: Conf) -> Cases:
    """Return values of another type, such as numbers that are still text, as read from the environment."""
    for field in fields(Conf):
        value, kind = written(settings.org).get(field.name.upper()), type(field.default)
        if not is_usable(field.name, value):
            expected = "a URL" if field.name in URLS else EXPECTED.get(kind, "text")
            shown = Secret(value) if field.name in SECRETS else value
            yield {"key": field.name.upper(), "value": shown, "expected": expected}


def _missing(settings: Conf) -> Cases:
    return ({"key": key, "where": where} for key, where in REQUIRED.items() if not written(settings.org).get(key))


def _urls(settings: Conf) -> Iterator[tuple[str, str]]:
    return ((key, url) for key, url in (("ISSUER", settings.issuer), ("BASE_URL", settings.base_url)) if url)


def _insecure_urls(settings: Conf) -> Cases:
    return ({"key": key} for key, url in _urls(settings) if not _is_secure(url))


def _urls_with_extra_parts(settings: Conf) -> Cases:
    for key, url in _urls(settings):
        parts = urlsplit(url)
        if _is_secure(url) and (parts.query or parts.fragment or parts.username or not parts.hostname):
            yield {"key": key}


def _is_secure(url: str) -> bool:
    parts = urlsplit(url)
    is_local = parts.hostname in LOOPBACK and django_settings.DEBUG
    return parts.scheme == "https" or bool(parts.scheme == "http" and is_local)


def _broken_keys(settings: Conf) -> Cases:
    for position, key in enumerate(settings.encryption_keys):
        try:
            decoded_key(key.reveal())
        except ValueError as error:
            yield {"position": position, "reason": error}


def _broken_private_key(settings: Conf) -> Cases:
    if settings.client_auth == "private_key":
        try:
            Credentials(settings.client_id, "private_key", private_key=settings.private_key).proof(settings.issuer)
        except ValueError as error:
            yield {"reason": error}


def _unusable_links(settings: Conf) -> Cases:
    """Return the links for visitors that are no URL, path or (where allowed) email address."""
    for key in ("SUPPORT", "TERMS_URL", "PRIVACY_URL", "RESET_PASSWORD_URL"):
        link = getattr(settings, key.lower())
        is_link = link.startswith(("https://", "http://", "/")) or (key == "SUPPORT" and bool(canonical(link)))
        if link and not is_link:
            yield {"key": key}


def _unusable_proxy(settings: Conf) -> bool:
    parts = urlsplit(settings.proxy.reveal())
    is_origin = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
    return bool(settings.proxy) and not is_origin


def _unusable_authorities(settings: Conf) -> Cases:
    if settings.ca_bundle:
        try:
            ssl.create_default_context(cafile=settings.ca_bundle)
        except OSError as error:
            yield {"reason": error.strerror or error}


def _unknown_countries(settings: Conf) -> Cases:
    return ({"country": c} for c in sorted(set(settings.phone_countries) - phonenumbers.SUPPORTED_REGIONS))


check_settings = register_table(
    Tags.security,
    Check("E001", _unknown_keys, "SELFREG has an unknown key %(key)r.", f"Known: {', '.join(sorted(SETTING_NAMES))}."),
    Check("E023", _no_lists, "SELFREG[%(key)r] must be a list of strings."),
    Check("E024", _wrong_types, "SELFREG[%(key)r] is %(value)r, but must be %(expected)s."),
    Check("E002", _missing, "SELFREG[%(key)r] is not set.", "%(where)s"),
    Check("E003", _insecure_urls, "SELFREG[%(key)r] isn't an https URL.", "Use http only on loopback under DEBUG."),
    Check("E004", _urls_with_extra_parts, "SELFREG[%(key)r] must have only scheme, host and path."),
    Check("E013", when(lambda site: bool(urlsplit(site.base_url).path)), "SELFREG['BASE_URL'] has a path.",
          "Use scheme and host only. If the site is below a path, set the path in FORCE_SCRIPT_NAME."),
    Check("E005", when(lambda site: not site.encryption_keys), "SELFREG['ENCRYPTION_KEYS'] is empty.", KEY_HINT),
    Check("E005", _broken_keys, "SELFREG['ENCRYPTION_KEYS'][%(position)d] can't be used: %(reason)s.", KEY_HINT),
    Check("E012", when(lambda site: site.client_auth not in CLIENT_AUTH),
          f"SELFREG['CLIENT_AUTH'] must be one of {', '.join(map(repr, CLIENT_AUTH))}."),
    Check("E012", _broken_private_key, "SELFREG['PRIVATE_KEY'] can't be used: %(reason)s."),
    Check("E020", when(lambda site: site.enumeration not in ("okta", "neutral")),
          "SELFREG['ENUMERATION'] must be 'okta' or 'neutral'."),
    Check("E021", _unknown_countries, "SELFREG['PHONE_COUNTRIES'] has %(country)r, not an ISO country code."),
    Check("E026", _unusable_links, "SELFREG[%(key)r] isn't a URL or a path.",
          "Begin it with https:// or /. SUPPORT can also be an email address."),
    Check("E027", when(_unusable_proxy), "SELFREG['PROXY'] isn't the URL of an HTTP proxy.",
          "Use a URL like http://proxy.example.com:3128. Percent-encode special characters in user and password."),
    Check("E028", _unusable_authorities, "SELFREG['CA_BUNDLE'] can't be used: %(reason)s.",
          "Use the path of a PEM file with the authorities' certificates that the site's user can read."),
    Check("W034", when(lambda site: site.email_is_mandatory() and "email" not in site.scopes.split()),
          "SELFREG['EMAIL_VERIFICATION'] is 'mandatory', but SELFREG['SCOPES'] lacks 'email'. Without it the org "
          "doesn't send the address, and nobody can finish a sign-up.",
          "Add the scope 'email'."),
    Check("E006", when(lambda site: site.email_verification not in (MANDATORY, OPTIONAL)),
          "SELFREG['EMAIL_VERIFICATION'] must be 'mandatory' or 'optional'."),
)  # fmt: skip
