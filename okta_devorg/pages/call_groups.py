"""The calls page: the calls of one sign-up or sign-in together, the newest first, found by text or by error."""

from collections.abc import Iterable
from dataclasses import dataclass

from okta_devorg.management.json_api import value_at
from okta_devorg.state.logs.calls import Call

OTHERS = "Other calls"
ERRORS_FROM = 400
# By the first digit of the status: how the page colours it.
KINDS = {"2": "good", "3": "moved", "4": "refused"}


@dataclass(frozen=True)
class CallGroup:
    """Calls that belong together. `title` is whose they are, if a call says so; `key` tells groups apart."""

    key: str
    title: str
    calls: list[Call]

    @property
    def errors(self) -> int:
        """How many of the calls failed or were refused."""
        return sum(is_error(call) for call in self.calls)


def call_groups(calls: Iterable[Call], text: str = "", errors_only: bool = False) -> list[CallGroup]:
    """Return the groups in which a call contains the text, the newest first.

    A sign-up is shown whole, or with `errors_only` its errors. Calls that belong to none come last, the newest first,
    and only those that contain the text.
    """
    threads: dict[str, list[Call]] = {}
    for call in calls:
        threads.setdefault(call.thread, []).append(call)
    others = [call for call in threads.pop("", []) if _contains(call, text)]
    found = [(key, group) for key, group in threads.items() if any(_contains(call, text) for call in group)]
    found.sort(key=lambda item: item[1][-1].at, reverse=True)
    groups = [CallGroup(key, _title(key, group), _shown(group, errors_only)) for key, group in found]
    groups.append(CallGroup("others", OTHERS, _shown(others[::-1], errors_only)))
    return [group for group in groups if group.calls]


def is_error(call: Call) -> bool:
    """Return whether the call failed or was refused, or had no answer."""
    return call.status is None or call.status >= ERRORS_FROM


def answer_kind(call: Call) -> str:
    """Return how the page colours the status of a call."""
    return KINDS.get(str(call.status)[0], "failed")


def _shown(calls: list[Call], errors_only: bool) -> list[Call]:
    return [call for call in calls if is_error(call) or not errors_only]


def _contains(call: Call, text: str) -> bool:
    if not text:
        return True
    parts = (call.method, call.path, call.status, call.fault, call.thread, call.request_id, call.query, call.body)
    return text.casefold() in f"{parts} {call.summary}".casefold()


def _title(key: str, calls: list[Call]) -> str:
    """Return the address that somebody typed, or the key of the group."""
    typed = (value_at(call.body, *path) for call in calls for path in (("userProfile", "email"), ("identifier",)))
    return next((address for address in typed if isinstance(address, str) and address), f"Sequence {key}")
