"""Names of settings in JSON, where they differ from the names in Python."""

from dataclasses import Field, field
from typing import Any


def json_field(name: str, default: Any) -> Any:
    """Return a dataclass field that is called `name` in JSON, as in Okta's own documents."""
    return field(default=default, metadata={"json": name})


def json_name(item: Field[Any]) -> str:
    """Return the name of a dataclass field in JSON."""
    return str(item.metadata.get("json", item.name))
