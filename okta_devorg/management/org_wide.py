"""What the API knows of the org itself: its address book entry, brand, trusted origins, user type, zones and more."""

from uuid import NAMESPACE_URL, uuid5

from flask import Request, Response

from okta_devorg.management.json_api import api_body, list_reply, no_content, not_found, validation_error
from okta_devorg.management.links import link
from okta_devorg.management.user_documents import USER_TYPE
from okta_devorg.policy.settings import IdentityProvider
from okta_devorg.state.org import Org
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply
from okta_devorg.wire.urls import is_http_url

BRAND = "bndLocalDevOrg000001"
ZONES = {
    "nzoLocalLegacy000001": ("LegacyIpZone", "POLICY"),
    "nzoLocalBlocked00001": ("BlockedIpZone", "BLOCKLIST"),
}
SETTINGS = ("analyticsCollectionEnabled", "desktopMFAEnabled", "itpEnabled", "omEnabled", "pssoEnabled")


def okta_organization(org: Org, request: Request) -> Response:
    """GET /.well-known/okta-organization: what programs learn of an org before they have a token."""
    return json_reply(
        {
            "id": org.id,
            "cell": "local",
            "pipeline": "idx",
            "settings": dict.fromkeys(SETTINGS, False),
            "_links": {"organization": {"href": org.base}},
        }
    )


def list_brands(org: Org, request: Request) -> Response:
    """GET brands: there is one."""
    return list_reply(org, request, [_brand_json(org)])


def get_brand(org: Org, request: Request, brand_id: str) -> Response:
    """GET brands/{id}.

    :raises ApiError: 404, if there is none.
    """
    if brand_id != BRAND:
        raise not_found(brand_id, "Brand")
    return json_reply(_brand_json(org))


def _brand_json(org: Org) -> Json:
    head = {"id": BRAND, "name": "Local org", "isDefault": True, "removePoweredByOkta": False, "locale": None}
    return {**head, "_links": {"self": link(f"{org.base}/api/v1/brands/{BRAND}", "GET")}}


def get_user_type(org: Org, request: Request, type_id: str) -> Response:
    """GET meta/types/user/{id}: there is one type, also called `default`.

    :raises ApiError: 404, if there is none.
    """
    if type_id not in (USER_TYPE, "default"):
        raise not_found(type_id, "UserType")
    api, at = f"{org.base}/api/v1/meta", org.clock.iso(org.started)
    head = {"id": USER_TYPE, "displayName": "User", "name": "user", "default": True, "created": at, "lastUpdated": at}
    links = {"self": link(f"{api}/types/user/{USER_TYPE}", "GET"), "schema": link(f"{api}/schemas/user/default", "GET")}
    return json_reply({**head, "_links": links})


# ---- identity providers, which are `idps` of the settings; zones and features


def list_idps(org: Org, request: Request) -> Response:
    """GET idps: by `q` (the start of the name) and `type`."""
    query, wanted = request.args.get("q", "").casefold(), request.args.get("type")
    idps = [idp for idp in org.policy.idps if idp.name.casefold().startswith(query) and wanted in (None, idp.type)]
    return list_reply(org, request, [_idp_json(org, idp) for idp in idps])


def get_idp(org: Org, request: Request, idp_id: str) -> Response:
    """GET idps/{id}.

    :raises ApiError: 404, if there is none.
    """
    idp = next((item for item in org.policy.idps if item.id == idp_id), None)
    if idp is None:
        raise not_found(idp_id, "IdpAppInstance")
    return json_reply(_idp_json(org, idp))


def _idp_json(org: Org, idp: IdentityProvider) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/idps/{idp.id}"
    head = {"id": idp.id, "type": idp.type, "name": idp.name, "status": "ACTIVE", "created": at, "lastUpdated": at}
    return {**head, "_links": {"self": link(href, "GET"), "users": link(href + "/users", "GET")}}


def list_zones(org: Org, request: Request) -> Response:
    """GET zones: those that every org has."""
    return list_reply(org, request, [_zone_json(org, zone_id) for zone_id in ZONES])


def get_zone(org: Org, request: Request, zone_id: str) -> Response:
    """GET zones/{id}.

    :raises ApiError: 404, if there is none.
    """
    if zone_id not in ZONES:
        raise not_found(zone_id, "Zone")
    return json_reply(_zone_json(org, zone_id))


def _zone_json(org: Org, zone_id: str) -> Json:
    at, (name, usage) = org.clock.iso(org.started), ZONES[zone_id]
    head = {"type": "IP", "id": zone_id, "name": name, "status": "ACTIVE", "usage": usage, "system": True}
    links = {"self": link(f"{org.base}/api/v1/zones/{zone_id}", "GET")}
    return {**head, "created": at, "lastUpdated": at, "gateways": None, "proxies": None, "_links": links}


def list_features(org: Org, request: Request) -> Response:
    """GET features: this org has none that could be switched."""
    return list_reply(org, request, [])


def get_feature(org: Org, request: Request, feature_id: str) -> Response:
    """GET features/{id}.

    :raises ApiError: 404.
    """
    raise not_found(feature_id, "Feature")


# ---- trusted origins, which are `trusted_origins` of the settings


def list_trusted_origins(org: Org, request: Request) -> Response:
    """GET trustedOrigins."""
    return list_reply(org, request, [_origin_json(org, origin) for origin in org.policy.trusted_origins])


def create_trusted_origin(org: Org, request: Request) -> Response:
    """POST trustedOrigins.

    :raises ApiError: 400, if the origin is none or known already.
    """
    origin = str(api_body(request).get("origin", ""))
    if not is_http_url(origin) or origin in org.policy.trusted_origins:
        raise validation_error("origin: The field has an invalid value")
    org.patch_policy({"trusted_origins": [*org.policy.trusted_origins, origin]})
    return json_reply(_origin_json(org, origin))


def get_trusted_origin(org: Org, request: Request, origin_id: str) -> Response:
    """GET trustedOrigins/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(_origin_json(org, _find_origin(org, origin_id)))


def delete_trusted_origin(org: Org, request: Request, origin_id: str) -> Response:
    """DELETE trustedOrigins/{id}.

    :raises ApiError: 404, if there is none.
    """
    deleted = _find_origin(org, origin_id)
    org.patch_policy({"trusted_origins": [item for item in org.policy.trusted_origins if item != deleted]})
    return no_content()


def _origin_id(origin: str) -> str:
    """Return an id that is the same as long as the origin is."""
    return "tos" + uuid5(NAMESPACE_URL, origin).hex[:17]


def _find_origin(org: Org, origin_id: str) -> str:
    origin = next((item for item in org.policy.trusted_origins if _origin_id(item) == origin_id), None)
    if origin is None:
        raise not_found(origin_id, "TrustedOrigin")
    return origin


def _origin_json(org: Org, origin: str) -> Json:
    at, href = org.clock.iso(org.started), f"{org.base}/api/v1/trustedOrigins/{_origin_id(origin)}"
    head = {"id": _origin_id(origin), "name": origin, "origin": origin, "status": "ACTIVE"}
    scopes = [{"type": "CORS"}, {"type": "REDIRECT"}]
    dates = {"created": at, "createdBy": "local", "lastUpdated": at, "lastUpdatedBy": "local"}
    return {**head, "scopes": scopes, **dates, "_links": {"self": link(href, "GET", "DELETE")}}
