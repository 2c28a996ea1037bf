"""Groups of users. The group "Everyone" is built in and contains every user."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from okta_devorg.state.clock import Clock
from okta_devorg.state.users import User, Users
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json

EVERYONE = "00gLocalEveryone0001"


@dataclass
class Group:
    """A group. `members` are ids of users; `created` is org time."""

    id: str
    name: str
    description: str | None
    created: float
    members: set[str] = field(default_factory=set)

    def contains(self, user: User) -> bool:
        """Return whether the user is in the group."""
        return self.id == EVERYONE or user.id in self.members

    def to_json(self, clock: Clock, base: str) -> Json:
        """Return the group as the Management API of the org at `base` shows it."""
        at = clock.iso(self.created)
        return {
            "id": self.id,
            "created": at,
            "lastUpdated": at,
            "lastMembershipUpdated": at,
            "objectClass": ["okta:user_group"],
            "type": "BUILT_IN" if self.id == EVERYONE else "OKTA_GROUP",
            "profile": {"name": self.name, "description": self.description},
            "_links": self._links(base),
        }

    def _links(self, base: str) -> Json:
        """Real groups have a picture in two sizes; here both are the org's icon."""
        logos = [{"name": size, "href": f"{base}/static/icon.svg", "type": "image/png"} for size in ("medium", "large")]
        href = f"{base}/api/v1/groups/{self.id}"
        return {"logo": logos, "users": {"href": href + "/users"}, "apps": {"href": href + "/apps"}}


class Groups:
    """All groups of the org."""

    def __init__(self, clock: Clock, users: Users) -> None:
        self._clock, self._users = clock, users
        everyone = Group(EVERYONE, "Everyone", "All users in your organization", clock.now())
        self.by_id: dict[str, Group] = {EVERYONE: everyone}

    def __iter__(self) -> Iterator[Group]:
        return iter(self.by_id.values())

    def find(self, id_or_name: str) -> Group | None:
        """Return the group with this id or name (case does not matter), None if there is none."""
        by_name = (group for group in self if group.name.casefold() == id_or_name.casefold())
        return self.by_id.get(id_or_name) or next(by_name, None)

    def add(self, name: str, description: str | None) -> Group:
        """Create an empty group."""
        group = Group(new_id("00g"), name, description, self._clock.now())
        self.by_id[group.id] = group
        return group

    def join(self, id_or_name: str, user: User) -> Group:
        """Put the user into the group with this id or name, which is created if there is none; return it."""
        group = self.find(id_or_name) or self.add(id_or_name, None)
        if group.id != EVERYONE:
            group.members.add(user.id)
        return group

    def members(self, group: Group) -> list[User]:
        """Return the users in the group."""
        return [user for user in self._users if group.contains(user)]

    def of(self, user: User) -> list[Group]:
        """Return the groups that the user is in."""
        return [group for group in self if group.contains(user)]

    def leave_all(self, user: User) -> None:
        """Take the user out of every group."""
        for group in self:
            group.members.discard(user.id)
