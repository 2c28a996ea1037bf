"""A typical database router of a site."""

from typing import Any


class PeopleElsewhere:
    """Use the database "people" for everything; "default" has no tables."""

    def db_for_read(self, _model: Any, **_: Any) -> str:
        return "people"

    def db_for_write(self, _model: Any, **_: Any) -> str:
        return "people"

    def allow_migrate(self, db: str, *_: Any, **__: Any) -> bool:
        return db == "people"
