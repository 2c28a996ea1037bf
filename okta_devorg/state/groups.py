"""Groups of people. "Everyone" is built in and has everybody."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from okta_devorg.state.clock import Clock
from okta_devorg.state.users import User, Users
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json

EVERYONE = "00gLocalEveryone0001"


@dataclass
class Group:
    id: str
    name: str
    description: str | None
    created: float
    members: set[str] = field(default_factory=set)

    def to_json(self, clock: Clock, base: str) -> Json:
        at = clock.iso(self.created)
        return {
            "id": self.id,
            "created": at,
            "lastUpdated": at,
            "lastMembershipUpdated": at,
            "objectClass": ["okta:user_group"],
            "type": "BUILT_IN" if self.id == EVERYONE else "OKTA_GROUP",
            "profile": {"name": self.name, "description": self.description},
            "_links": {"users": {"href": f"{base}/api/v1/groups/{self.id}/users"}},
        }


class Groups:
    def __init__(self, clock: Clock, users: Users) -> None:
        self.clock, self.users = clock, users
        everyone = Group(EVERYONE, "Everyone", "All users in your organization", clock.now())
        self.by_id: dict[str, Group] = {EVERYONE: everyone}

    def __iter__(self) -> Iterator[Group]:
        return iter(self.by_id.values())

    def find(self, id_or_name: str) -> Group | None:
        by_name = (group for group in self if group.name.casefold() == id_or_name.casefold())
        return self.by_id.get(id_or_name) or next(by_name, None)

    def add(self, name: str, description: str | None) -> Group:
        group = Group(new_id("00g"), name, description, self.clock.now())
        self.by_id[group.id] = group
        return group

    def join(self, id_or_name: str, user: User) -> Group:
        """Into the group, which is made when there is none of that name yet."""
        group = self.find(id_or_name) or self.add(id_or_name, None)
        if group.id != EVERYONE:
            group.members.add(user.id)
        return group

    def members(self, group: Group) -> list[User]:
        return [user for user in self.users if group.id == EVERYONE or user.id in group.members]

    def of(self, user: User) -> list[Group]:
        return [group for group in self if group.id == EVERYONE or user.id in group.members]

    def leave_all(self, user: User) -> None:
        for group in self:
            group.members.discard(user.id)
