"""What came of a command. Pages, the JSON API, admin actions and management commands branch on these types."""

from dataclasses import dataclass, field

from selfreg.idx.client import Grant
from selfreg.idx.document import Message
from selfreg.idx.errors import IdxError
from selfreg.statuses import Status


@dataclass(frozen=True, slots=True)
class Advanced:
    """The registration shows another page, or the same one for a good reason (``poll``: nothing new yet)."""

    moved: bool = True


@dataclass(frozen=True, slots=True)
class Rejected:
    """The org or this site found fault with the input. ``messages`` stand on the page, most beside a field."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class NotOffered:
    """The present page does not offer that. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The visitor acted on a page that is not the present one; ``message`` says so there."""

    message: Message


@dataclass(frozen=True, slots=True)
class Waiting:
    """Too early or too often: nothing was sent. ``seconds`` to wait."""

    seconds: int
    message: Message


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail or text was sent again."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The org is done. ``grant`` belongs to this caller alone, for about a minute."""

    grant: Grant = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ended:
    """There is no step any more: ``status`` is final, or waits for something outside of these pages."""

    status: Status


@dataclass(frozen=True, slots=True)
class Failed:
    """The exchange with the org failed, and changed nothing there."""

    error: IdxError


@dataclass(frozen=True, slots=True)
class Unsure:
    """The exchange failed, and nobody knows whether the org carried it out; the next request asks."""

    error: IdxError


NOTHING_NEW = Advanced(moved=False)

Outcome = Advanced | Rejected | NotOffered | Stale | Waiting | Sent | Granted | Ended | Failed | Unsure
