"""Values that ``repr``, ``str``, ``format``, JSON and error reports never show.

Error reporters that read the variables of a function get a ``Secret``, not its value. Only ``reveal`` returns the
value. It is called when the value leaves this process: in the body or header of a call, or to be encrypted.
"""

import hmac
from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T")
HIDDEN = "(secret)"


class Secret(Generic[T]):
    """A value that only ``reveal`` returns: a text, the body of a call, or what was typed into a form.

    It can be compared and copied, but not pickled.

    :param value: may already be a ``Secret``
    """

    # The value is in the closure of this function, so it is in no attribute.
    __slots__ = ("reveal",)
    reveal: Callable[[], T]

    def __init__(self, value: "T | Secret[T]") -> None:
        self.reveal = value.reveal if isinstance(value, Secret) else lambda: value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = self.reveal(), other.reveal()
        if isinstance(mine, str) and isinstance(theirs, str):
            return hmac.compare_digest(mine.encode(errors="surrogatepass"), theirs.encode(errors="surrogatepass"))
        return bool(mine == theirs)

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __copy__(self) -> "Secret[T]":
        return self

    def __deepcopy__(self, memo: object) -> "Secret[T]":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret can't be pickled")


NOTHING: Secret[str] = Secret("")
"""No secret."""


def reveal(value: Any) -> Any:
    """Return the value of a ``Secret``, for ``json.dumps(..., default=reveal)``.

    :raises TypeError: ``value`` is another object that is not JSON
    """
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is no JSON")
