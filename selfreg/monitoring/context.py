"""What belongs to every log line of a request: its id, and the registration that it is about."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_fields: ContextVar[Mapping[str, str]] = ContextVar("selfreg_log_fields", default=MappingProxyType({}))

_is_a_visit: ContextVar[bool] = ContextVar("selfreg_is_a_visit", default=True)


@contextmanager
def no_visit() -> Iterator[None]:
    """Do not count the requests inside the block as visits."""
    before = _is_a_visit.set(False)
    try:
        yield
    finally:
        _is_a_visit.reset(before)


def is_a_visit() -> bool:
    """Return whether a visitor is waiting for the request."""
    return _is_a_visit.get()


def begin(request_id: str) -> None:
    """Begin a request, without the fields of the previous one."""
    _fields.set({"request_id": request_id})


def bind(**fields: object) -> None:
    """Add fields to every following line of this request or command."""
    _fields.set({**_fields.get(), **{name: str(value) for name, value in fields.items()}})


def bound() -> Mapping[str, str]:
    """Return the fields."""
    return _fields.get()
