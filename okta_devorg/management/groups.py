"""Groups and who is in them."""

from flask import Request, Response

from okta_devorg.management.access import Json, body_of, invalid, listing, member, no_content, not_found
from okta_devorg.management.search import matches
from okta_devorg.management.users import find as find_user
from okta_devorg.management.users import user_json
from okta_devorg.state.groups import EVERYONE, Group
from okta_devorg.state.org import Org
from okta_devorg.wire.refusals import ApiError
from okta_devorg.wire.replies import json_reply


def shown(org: Org, group: Group) -> Json:
    return group.to_json(org.clock, org.base)


def find(org: Org, group_id: str) -> Group:
    group = org.groups.by_id.get(group_id)
    if group is None:
        raise not_found(group_id, "UserGroup")
    return group


def changeable(org: Org, group_id: str) -> Group:
    if group_id == EVERYONE:
        raise ApiError(403, "E0000006", "You do not have permission to perform the requested action")
    return find(org, group_id)


def list_groups(org: Org, request: Request) -> Response:
    query = request.args.get("q", "").casefold()
    expressions = [request.args[name] for name in ("filter", "search") if request.args.get(name)]
    found = [shown(org, group) for group in org.groups if group.name.casefold().startswith(query)]
    return listing(org, request, [item for item in found if all(matches(text, item) for text in expressions)])


def add_group(org: Org, request: Request) -> Response:
    return json_reply(shown(org, org.groups.add(*read(org, request, None))))


def read(org: Org, request: Request, group: Group | None) -> tuple[str, str | None]:
    """Name and description. Raises ApiError when the name is missing or another group's."""
    profile = member(body_of(request), "profile")
    name, description = member(profile, "name"), member(profile, "description")
    if not isinstance(name, str) or not name.strip():
        raise invalid("name: The field cannot be left blank")
    if org.groups.find(name) not in (None, group):
        raise invalid("name: An object with this field already exists in the current organization")
    return name, description if isinstance(description, str) else None


def get_group(org: Org, request: Request, group_id: str) -> Response:
    return json_reply(shown(org, find(org, group_id)))


def replace_group(org: Org, request: Request, group_id: str) -> Response:
    group = changeable(org, group_id)
    group.name, group.description = read(org, request, group)
    return json_reply(shown(org, group))


def delete_group(org: Org, request: Request, group_id: str) -> Response:
    del org.groups.by_id[changeable(org, group_id).id]
    return no_content()


def list_members(org: Org, request: Request, group_id: str) -> Response:
    return listing(org, request, [user_json(org, user) for user in org.groups.members(find(org, group_id))])


def add_member(org: Org, request: Request, group_id: str, user_id: str) -> Response:
    group, user = changeable(org, group_id), find_user(org, user_id)
    group.members.add(user.id)
    org.record("group.user_membership.add", user, debug={"group": group.name})
    return no_content()


def remove_member(org: Org, request: Request, group_id: str, user_id: str) -> Response:
    group, user = changeable(org, group_id), find_user(org, user_id)
    group.members.discard(user.id)
    org.record("group.user_membership.remove", user, debug={"group": group.name})
    return no_content()


def groups_of_user(org: Org, request: Request, user_id: str) -> Response:
    return listing(org, request, [shown(org, group) for group in org.groups.of(find_user(org, user_id))])
