"""Groups and their members."""

from flask import Request, Response

from okta_devorg.management.json_api import (
    api_body,
    list_reply,
    no_content,
    not_found,
    require_known,
    validation_error,
    value_at,
)
from okta_devorg.management.search import matching
from okta_devorg.management.user_documents import listed_user_json
from okta_devorg.management.users import find_user
from okta_devorg.state.groups import EVERYONE, Group
from okta_devorg.state.org import Org
from okta_devorg.wire.errors import forbidden
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

LONGEST_NAME = 255


def find_group(org: Org, group_id: str) -> Group:
    """Return the group with this id.

    :raises ApiError: 404, if there is none.
    """
    group = org.groups.by_id.get(group_id)
    if group is None:
        raise not_found(group_id, "UserGroup")
    return group


def list_groups(org: Org, request: Request) -> Response:
    """GET groups: by `q` (the start of the name), `filter` and `search`.

    :raises ApiError: 400, if an expression cannot be read.
    """
    query = request.args.get("q", "").casefold()
    expressions = [request.args.get(name, "") for name in ("filter", "search")]
    groups = [_group_json(org, group) for group in org.groups if group.name.casefold().startswith(query)]
    return list_reply(org, request, matching(groups, *expressions))


def create_group(org: Org, request: Request) -> Response:
    """POST groups.

    :raises ApiError: 400, if the name is missing or taken.
    """
    name, description = _read_profile(org, request)
    return json_reply(_group_json(org, org.groups.add(name, description)))


def get_group(org: Org, request: Request, group_id: str) -> Response:
    """GET groups/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(_group_json(org, find_group(org, group_id)))


def replace_group(org: Org, request: Request, group_id: str) -> Response:
    """PUT groups/{id}.

    :raises ApiError: 404; 403 for "Everyone"; 400, if the name is missing or taken.
    """
    group = _find_changeable(org, group_id)
    group.name, group.description = _read_profile(org, request, group)
    return json_reply(_group_json(org, group))


def delete_group(org: Org, request: Request, group_id: str) -> Response:
    """DELETE groups/{id}.

    :raises ApiError: 404; 403 for "Everyone".
    """
    del org.groups.by_id[_find_changeable(org, group_id).id]
    return no_content()


def list_members(org: Org, request: Request, group_id: str) -> Response:
    """GET groups/{id}/users.

    :raises ApiError: 404, if there is no such group.
    """
    return list_reply(
        org, request, [listed_user_json(org, user) for user in org.groups.members(find_group(org, group_id))]
    )


def add_member(org: Org, request: Request, group_id: str, user_id: str) -> Response:
    """PUT groups/{id}/users/{user}.

    :raises ApiError: 404; 403 for "Everyone".
    """
    group, user = _find_changeable(org, group_id), find_user(org, user_id)
    group.members.add(user.id)
    org.record("group.user_membership.add", user, debug={"group": group.name})
    return no_content()


def remove_member(org: Org, request: Request, group_id: str, user_id: str) -> Response:
    """DELETE groups/{id}/users/{user}.

    :raises ApiError: 404; 403 for "Everyone".
    """
    group, user = _find_changeable(org, group_id), find_user(org, user_id)
    group.members.discard(user.id)
    org.record("group.user_membership.remove", user, debug={"group": group.name})
    return no_content()


def list_groups_of_user(org: Org, request: Request, user_id: str) -> Response:
    """GET users/{id}/groups.

    :raises ApiError: 404, if there is no such user.
    """
    return list_reply(org, request, [_group_json(org, group) for group in org.groups.of(find_user(org, user_id))])


def _group_json(org: Org, group: Group) -> Json:
    return group.to_json(org.clock, org.base)


def _find_changeable(org: Org, group_id: str) -> Group:
    if group_id == EVERYONE:
        raise forbidden()
    return find_group(org, group_id)


def _read_profile(org: Org, request: Request, group: Group | None = None) -> tuple[str, str | None]:
    """Return name and description; the name must not be another group's."""
    body = api_body(request)
    require_known(body, _group_json(org, group or org.groups.by_id[EVERYONE]))
    profile = value_at(body, "profile")
    name, description = value_at(profile, "name"), value_at(profile, "description")
    if not isinstance(name, str) or not name.strip():
        raise validation_error("name: The field cannot be left blank")
    if len(name) > LONGEST_NAME:
        raise validation_error("name: The field is too long")
    if org.groups.find(name) not in (None, group):
        raise validation_error("name: An object with this field already exists in the current organization")
    return name, description if isinstance(description, str) else None
