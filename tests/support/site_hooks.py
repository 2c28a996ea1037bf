"""Profile hooks and a backend of an example site."""

from typing import Any

from selfreg.auth import OktaBackend
from selfreg.profile_hook import ProfileRefused


def refuses_freemail(profile: dict[str, Any]) -> None:
    if str(profile.get("email", "")).endswith("@example.com"):
        raise ProfileRefused({"email": "Use your work address.", "": "We know only companies."})


def amends_the_name(profile: dict[str, Any]) -> dict[str, Any]:
    return profile | {"lastName": str(profile.get("lastName", "")).upper()}


def breaks(profile: dict[str, Any]) -> None:
    raise KeyError("berth")


def returns_nonsense(profile: dict[str, Any]) -> Any:
    return 7


class OwnBackend(OktaBackend):
    def get_username(self, claims: dict[str, Any]) -> str:
        return "made-by-the-site"

    def create_user(self, claims: dict[str, Any]) -> Any:
        return self.update_user(super().create_user(claims), claims)

    def update_user(self, user: Any, claims: dict[str, Any]) -> Any:
        user.last_name = f"{claims['family_name']}, of Okta"
        user.save()
        return user
