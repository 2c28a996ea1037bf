"""The results of commands. Pages, the JSON API, admin actions and management commands branch on these types."""

from dataclasses import dataclass, field

from selfreg.idx.client import Grant
from selfreg.idx.document import Message
from selfreg.idx.errors import IdxError
from selfreg.statuses import Status


@dataclass(frozen=True, slots=True)
class Advanced:
    """The command was carried out. ``moved`` is whether the registration is at another page now."""

    moved: bool = True


@dataclass(frozen=True, slots=True)
class Rejected:
    """The org or this site rejected the input. ``messages`` are shown on the page, most of them beside a field."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class NotOffered:
    """The current page does not offer that. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The visitor submitted a page that is no longer the current one. ``message`` tells them on the current page."""

    message: Message


@dataclass(frozen=True, slots=True)
class Waiting:
    """Too early or too often, by the limits of this site or of the org. ``message`` tells to wait ``seconds``."""

    seconds: int
    message: Message


@dataclass(frozen=True, slots=True)
class Sent:
    """An email or text was sent again."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The org is done. Only this caller got ``grant``, which is valid for about a minute."""

    grant: Grant = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """There are no more steps: ``status`` is final, or waits for something outside the sign-up pages."""

    status: Status


@dataclass(frozen=True, slots=True)
class Failed:
    """The call to the org failed, and changed nothing there."""

    error: IdxError


@dataclass(frozen=True, slots=True)
class Unsure:
    """The call failed, and the org may have carried it out. The next request asks the org for the current step."""

    error: IdxError


NOTHING_NEW = Advanced(moved=False)

Outcome = Advanced | Rejected | NotOffered | Stale | Waiting | Sent | Granted | Ended | Failed | Unsure
