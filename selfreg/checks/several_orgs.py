"""Checks of sites with several orgs: their names, what they may set, and how requests find theirs."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from django.core.checks import Tags
from django.urls import NoReverseMatch

from selfreg.checks.base import Cases, Check, register_table, unusable_path
from selfreg.conf import DEFAULT, SITE_WIDE, Conf, orgs
from selfreg.registration.policy import app_of
from selfreg.web.orgs import APP, Mount, mounts

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
RESERVED = (DEFAULT, APP)


def _unusable_entries(settings: Conf) -> Cases:
    further: Any = settings.orgs  # as the site wrote it
    if not isinstance(further, Mapping):
        yield {"name": "", "reason": "it isn't a dict"}
        return
    for name, values in further.items():
        if not isinstance(name, str) or not NAME.fullmatch(name) or name in RESERVED:
            yield {"name": name, "reason": "invalid name"}
        elif not isinstance(values, Mapping):
            yield {"name": name, "reason": "it isn't a dict"}


def _site_wide(settings: Conf) -> Cases:
    further: Any = settings.orgs if isinstance(settings.orgs, Mapping) else {}
    for name, values in further.items():
        if isinstance(values, Mapping):
            yield from ({"name": name, "key": key} for key in sorted(SITE_WIDE & set(values)))


check_orgs = register_table(
    Tags.security,
    Check("E050", _unusable_entries, "SELFREG['ORGS'][%(name)r] can't be used: %(reason)s.",
          "Write SELFREG['ORGS'] = {'partners': {'ISSUER': ...}}. A name has at most 40 lowercase letters, digits, - "
          f"and _. {' and '.join(map(repr, RESERVED))} are reserved."),
    Check("E051", _site_wide, "SELFREG['ORGS'][%(name)r] has %(key)r, which applies to all orgs.",
          "Set it in SELFREG itself."),
    Check("E052", unusable_path("org_resolver"),
          "SELFREG['ORG_RESOLVER'] is %(path)r, which can't be used: %(reason)s. Every page answers 404.",
          "Use the path of a function that gets the request and returns a name: 'mysite.brands.org_of_request'."),
)  # fmt: skip


# ---- the includes


def _further(mount: Mount) -> bool:
    return bool(mount.org) and mount.org != DEFAULT


def _unknown_orgs(_settings: Conf) -> Cases:
    return ({"namespace": m.namespace, "name": m.org} for m in mounts() if m.org and m.org not in orgs())


def _shared_namespaces(_settings: Conf) -> Cases:
    """Django finds one include of a namespace only, so the pages of the others would lead there."""
    uses = Counter(mount.namespace for mount in mounts())
    return ({"namespace": m.namespace, "name": m.org} for m in mounts() if _further(m) and uses[m.namespace] > 1)


def _nested_namespaces(_settings: Conf) -> Cases:
    return ({"namespace": m.namespace, "name": m.org} for m in mounts() if _further(m) and ":" in m.namespace)


def _shared_redirect_uris(_settings: Conf) -> Iterator[Mapping[str, object]]:
    for one, other in combinations(orgs().values(), 2):
        try:
            uri = app_of(one).redirect_uri
            is_shared = one.issuer != other.issuer and uri == app_of(other).redirect_uri
        except NoReverseMatch:  # another check says so
            continue
        if is_shared:
            yield {"one": one.org, "other": other.org, "uri": uri}


check_includes = register_table(
    Tags.urls,
    Check("E053", _unknown_orgs, "The URLs include selfreg.urls for an org %(name)r that isn't in SELFREG['ORGS']. "
          "These pages answer 404.", "Correct the name, or add the org."),
    Check("E054", _shared_namespaces,
          "The include of selfreg.urls for the org %(name)r shares the namespace %(namespace)r with another include, "
          "so its pages would lead there.",
          "Give it its own namespace: include('selfreg.urls', namespace='%(name)s')."),
    Check("E055", _nested_namespaces,
          "The include of selfreg.urls for the org %(name)r is inside another namespace (%(namespace)s), so its "
          "pages would lead to those of another org.", "Move it out of that namespace."),
    Check("W050", _shared_redirect_uris,
          "The orgs %(one)r and %(other)r have different issuers, but the same redirect URI %(uri)s. One of them could "
          "get the other's codes (RFC 9700, section 4.4).",
          "Give one of them its own include of selfreg.urls or its own BASE_URL."),
)  # fmt: skip
