"""What an administrator has said about single users of an app."""

from dataclasses import dataclass, field

from okta_devorg.wire.ion import Json


@dataclass
class AppUser:
    """A user of an app. `is_assigned`: by name, not only by a group. Times are org time.

    `user_name` is what the app calls the user, "" for the login.
    """

    created: float
    updated: float
    is_assigned: bool = False
    user_name: str = ""
    profile: Json = field(default_factory=dict)


class AppUsers:
    """Those that differ from what their groups make them, by the ids of app and user."""

    def __init__(self) -> None:
        self._by_ids: dict[tuple[str, str], AppUser] = {}

    def find(self, app_id: str, user_id: str) -> AppUser | None:
        """Return what is known of a user of an app, None if nothing special is."""
        return self._by_ids.get((app_id, user_id))

    def find_or_add(self, app_id: str, user_id: str, now: float) -> AppUser:
        """Return what is known of a user of an app, at first nothing special."""
        return self._by_ids.setdefault((app_id, user_id), AppUser(now, now))

    def is_assigned(self, app_id: str, user_id: str) -> bool:
        """Return whether the user is assigned to the app by name."""
        found = self.find(app_id, user_id)
        return found is not None and found.is_assigned

    def remove(self, app_id: str, user_id: str) -> None:
        """Forget a user of an app."""
        self._by_ids.pop((app_id, user_id), None)

    def remove_all_of(self, app_or_user_id: str) -> None:
        """Forget all users of an app, or a user of all apps."""
        self._by_ids = {ids: item for ids, item in self._by_ids.items() if app_or_user_id not in ids}
