"""A database router as a site would write it."""

from typing import Any


class PeopleElsewhere:
    """Everything is in the database "people"; "default" has no tables."""

    def db_for_read(self, _model: Any, **_: Any) -> str:
        return "people"

    def db_for_write(self, _model: Any, **_: Any) -> str:
        return "people"

    def allow_migrate(self, db: str, *_: Any, **__: Any) -> bool:
        return db == "people"
