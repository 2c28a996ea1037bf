"""Comparison of the Management API with recordings of real orgs, by key and type, for 46 kinds of objects.

A key of at least three quarters of the recorded objects must exist here with a recorded type. Additional keys need a
reason in `OURS`, and missing keys need one in `MISSING`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.app.factory import create_app
from okta_devorg.state.users import Status, new_enrollment
from okta_devorg.testing import OktaOrg
from support.local_org.contract import KINDS, Key
from support.local_org.management_api import ManagementApi
from support.local_org.org_journey import ADA, CLIENT

Json = Any
MINIMUM_SHARE = 75
# Keys of ours that no recorded object has: by the start of kind and path.
OURS = {
    "app:oidc_client settings.oauthClient.initiate_login_uri": "the demo site has one",
    "user: credentials.emails": "real orgs send it with a password only, or not at all",
    "policy:PASSWORD settings.password.complexity.maxConsecutiveRepeatingCharacters": "documented later",
    "schema definitions.base.properties.": "login, email and first name are compared, all others are alike",
    "schema definitions.custom.properties.": "the attributes of the form",
}
# Keys of theirs that are not here, and why.
MISSING = {
    "policy:ACCESS_POLICY _embedded": "Okta's SDK for Python refuses what is recorded there",
    "factor:sms _links": "recorded before it was activated",
    **{
        f"method:{name} _links.activate": "recorded while it was switched off"
        for name in ("push", "signed_nonce", "sms", "voice")
    },
}


def type_of(value: Json) -> str:
    if isinstance(value, str):
        if re.match(r"https?://", value):
            return "url"
        return "date" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) else "string"
    kinds: dict[type, str] = {bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def shape(value: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """Every path of an object with its type, the elements of a list under `[]`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path}.{key}".lstrip("."), type_of(item)
            yield from shape(item, f"{path}.{key}")
    if isinstance(value, list):
        for item in value:
            if not isinstance(item, dict):
                yield f"{path}[]".lstrip("."), type_of(item)
            yield from shape(item, f"{path}[]")


def excused(table: dict[str, str], kind: str, path: str) -> bool:
    return any(f"{kind} {path}".startswith(start) for start in table)


def differences(kind: str, value: Json) -> list[str]:
    """The differences between an object and the recordings of its kind."""
    recorded, ours = KINDS[kind], list(shape(value))
    known, objects = {path for path, _ in ours}, {"", *(path for path, type_ in ours if type_ in ("object", "array"))}
    missing = [
        f"missing {path}"
        for path, key in recorded.items()
        if key.share >= MINIMUM_SHARE
        and path not in known
        and _parent(path) in objects
        and not excused(MISSING, kind, path)
    ]
    unknown = {f"unknown {path}" for path in known if path not in recorded and not excused(OURS, kind, path)}
    wrong = {
        f"{path} is {kind_of_value}, not {' or '.join(recorded[path].types)}"
        for path, kind_of_value in ours
        if path in recorded and not _fits(kind_of_value, recorded[path])
    }
    return sorted([*missing, *unknown, *wrong])


def _parent(path: str) -> str:
    """Return the path of the object or list that holds this one."""
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0].removesuffix("[]")


def _fits(kind: str, key: Key) -> bool:
    """Whether a type matches. A URL or a date is accepted where text was recorded."""
    return kind in key.types or (kind in ("url", "date") and "string" in key.types)


# ---- one object of each kind


@pytest.fixture
def full(org: OrgHandle, api: ManagementApi) -> ManagementApi:
    """An org with at least one object of every kind."""
    every = ("phone_number", "security_question", "google_otp", "webauthn", "okta_verify")
    org.patch_policy({"authenticators": dict.fromkeys(every, "optional")})
    user = OktaOrg(org).sign_up()
    enrolled = org.users[0]
    enrolled.enroll(new_enrollment("phone_number", ("sms",), phone="+14155550100"))
    enrolled.enroll(new_enrollment("google_otp", ("otp",), totp_secret="x"))
    question = "What is the food you least liked as a child?"
    enrolled.enroll(new_enrollment("security_question", ("security_question",), question=question))
    assert user.id == enrolled.id
    api("POST", "groups", {"profile": {"name": "Members", "description": "All of them"}})
    return api


def authenticator(key: str) -> Callable[[ManagementApi], Json]:
    return lambda api: next(item for item in api("GET", "authenticators") if item["key"] == key)


def method(key: str, name: str) -> Callable[[ManagementApi], Json]:
    def read(api: ManagementApi) -> Json:
        path = f"authenticators/{authenticator(key)(api)['id']}/methods"
        return next(item for item in api("GET", path) if item["type"] == name)

    return read


def policy(kind: str) -> Callable[[ManagementApi], Json]:
    return lambda api: api("GET", "policies", type=kind)[-1]


def another_policy(kind: str, **more: Json) -> Callable[[ManagementApi], Json]:
    """A policy in addition to the default policy."""

    def make(api: ManagementApi) -> Json:
        group = api("GET", "groups", q="Members")[0]["id"]
        conditions = {"people": {"groups": {"include": [group]}}}
        body = {"type": kind, "name": "Another", "description": "x", "conditions": conditions, **more}
        return api("POST", "policies", body)

    return make


def rule(kind: str) -> Callable[[ManagementApi], Json]:
    return lambda api: api("GET", f"policies/{policy(kind)(api)['id']}/rules")[-1]


def group(name: str) -> Callable[[ManagementApi], Json]:
    return lambda api: api("GET", "groups", q=name)[0]


def factor(kind: str) -> Callable[[ManagementApi], Json]:
    return lambda api: next(i for i in api("GET", f"users/{ADA['email']}/factors") if i["factorType"] == kind)


def hook(path: str, **more: Json) -> Callable[[ManagementApi], Json]:
    def make(api: ManagementApi) -> Json:
        scheme = {"type": "HEADER", "key": "Authorization", "value": "secret"}
        config = {"uri": "http://127.0.0.1:9/", "authScheme": scheme, "headers": [{"key": "X-One", "value": "1"}]}
        channel = {"type": "HTTP", "version": "1.0.0", "config": config}
        return api("POST", path, {"name": "Hook", "channel": channel, **more})

    return make


def activation(api: ManagementApi) -> Json:
    user = api.user("staged@example.com", activate="false")
    return api("POST", f"users/{user['id']}/lifecycle/activate", sendEmail="false")


SERVER = "authorizationServers/default"
OBJECTS: dict[str, Callable[[ManagementApi], Json]] = {
    "activate": activation,
    "app:oidc_client": lambda api: api("GET", f"apps/{CLIENT}"),
    "authenticator:okta_email": authenticator("okta_email"),
    "authenticator:okta_password": authenticator("okta_password"),
    "authenticator:phone_number": authenticator("phone_number"),
    "authenticator:security_question": authenticator("security_question"),
    "authenticator:google_otp": authenticator("google_otp"),
    "authenticator:webauthn": authenticator("webauthn"),
    "authenticator:okta_verify": authenticator("okta_verify"),
    "authz": lambda api: api("GET", SERVER),
    "authzpolicy": lambda api: api("GET", f"{SERVER}/policies")[0],
    "authzrule": lambda api: api("GET", f"{SERVER}/policies/00pLocalServerPol001/rules")[0],
    "eventHook": hook("eventHooks", events={"type": "EVENT_TYPE", "items": ["user.lifecycle.create"]}),
    "inlineHook": hook("inlineHooks", type="com.okta.user.pre-registration", version="1.0.0"),
    "factor:question": factor("question"),
    "factor:sms": factor("sms"),
    "factor:token:software:totp": factor("token:software:totp"),
    "group:BUILT_IN": group("Everyone"),
    "group:OKTA_GROUP": group("Members"),
    "method:email": method("okta_email", "email"),
    "method:password": method("okta_password", "password"),
    "method:push": method("okta_verify", "push"),
    "method:security_question": method("security_question", "security_question"),
    "method:signed_nonce": method("okta_verify", "signed_nonce"),
    "method:sms": method("phone_number", "sms"),
    "method:totp": method("okta_verify", "totp"),
    "method:voice": method("phone_number", "voice"),
    "method:webauthn": method("webauthn", "webauthn"),
    "policy:ACCESS_POLICY": policy("ACCESS_POLICY"),
    "policy:IDP_DISCOVERY": policy("IDP_DISCOVERY"),
    "policy:MFA_ENROLL": policy("MFA_ENROLL"),
    "policy:OKTA_SIGN_ON": policy("OKTA_SIGN_ON"),
    "policy:PASSWORD": policy("PASSWORD"),
    "policy:PROFILE_ENROLLMENT": policy("PROFILE_ENROLLMENT"),
    "rule:ACCESS_POLICY": rule("ACCESS_POLICY"),
    "rule:PASSWORD": rule("PASSWORD"),
    "rule:PROFILE_ENROLLMENT": rule("PROFILE_ENROLLMENT"),
    "rule:SIGN_ON": rule("OKTA_SIGN_ON"),
    "schema": lambda api: api("GET", "meta/schemas/user/default"),
    "wk": lambda api: requests.get(api.base.replace("/api/v1/", "/.well-known/okta-organization"), timeout=60).json(),
}


def test_every_recorded_kind_has_a_test_object() -> None:
    assert set(KINDS) == {*OBJECTS, *(f"user:{status}" for status in STATUSES)}


@pytest.mark.parametrize("kind", OBJECTS)
def test_an_object_has_the_recorded_keys_and_types(full: ManagementApi, kind: str) -> None:
    assert differences(kind, OBJECTS[kind](full)) == []


@pytest.mark.parametrize("kind", ["MFA_ENROLL", "PASSWORD", "ACCESS_POLICY", "PROFILE_ENROLLMENT"])
def test_an_additional_policy_has_the_recorded_keys_and_types(full: ManagementApi, kind: str) -> None:
    created = another_policy(kind)(full)
    if kind in ("ACCESS_POLICY", "PROFILE_ENROLLMENT"):
        created["conditions"] = None
    assert differences(f"policy:{kind}", created) == []


STATUSES = ["STAGED", "PROVISIONED", "ACTIVE", "PASSWORD_EXPIRED", "SUSPENDED", "DEPROVISIONED"]


@pytest.mark.parametrize("status", STATUSES)
def test_a_user_of_each_status_has_the_recorded_keys_and_types(org: OrgHandle, api: ManagementApi, status: str) -> None:
    if status in ("STAGED", "PROVISIONED"):
        user = api.user(activate=str(status == "PROVISIONED").lower())
        path = f"users/{user['id']}"
    else:
        path = f"users/{OktaOrg(org).sign_up().id}"
        changes = {
            "PASSWORD_EXPIRED": "expire_password",
            "SUSPENDED": "suspend",
            "DEPROVISIONED": "deactivate",
        }
        if status in changes:
            api("POST", f"{path}/lifecycle/{changes[status]}")
    user = api("GET", path)
    assert user["status"] == Status(status)
    assert differences(f"user:{status}", user) == []


# Links to what this org does not do, or that are the beginning of a path.
UNSUPPORTED_LINKS = {
    "logo", "uploadLogo", "appLinks", "execute", "enroll", "keys", "rotateKey", "metadata", "app:oidc_client policies",
    "app:oidc_client deactivate", "authz deactivate", "authzpolicy deactivate", "authzrule deactivate",
}  # fmt: skip


def test_every_link_has_a_route(org: OrgHandle, full: ManagementApi) -> None:
    routes = create_app(org.org).url_map.bind("")
    dead = []
    for kind, read in OBJECTS.items():
        for name, target in links(read(full)):
            if {name, f"{kind} {name}"} & UNSUPPORTED_LINKS:
                continue
            for method_name in target.get("hints", {}).get("allow") or [target.get("method", "GET")]:
                path = urlsplit(target["href"]).path or "/"
                exists = routes.test(path, method_name)
                if not exists or "/" in routes.match(path, method_name)[1].get("user_id", ""):
                    dead.append((kind, name, method_name, path))
    assert dead == [], dead


def links(value: Json) -> Iterator[tuple[str, Json]]:
    for name, target in value.get("_links", {}).items():
        for item in target if isinstance(target, list) else [target]:
            yield name, item


def test_dates_are_in_iso_format(full: ManagementApi) -> None:
    created = full("GET", f"users/{ADA['email']}")["created"]
    assert datetime.fromisoformat(created)
