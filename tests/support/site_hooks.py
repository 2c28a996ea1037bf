"""Profile hooks as a site would write them."""

from typing import Any

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
