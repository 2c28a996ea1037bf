"""The System Log."""

from datetime import UTC, datetime

from flask import Request, Response

from okta_devorg.management.json_api import list_reply, validation_error
from okta_devorg.management.search import matching
from okta_devorg.state.logs.system_log import event_json
from okta_devorg.state.org import Org

# What Okta says (System Log API, "Errors").
NO_DATE = "The date format in your query is not recognized. Please enter dates using ISO8601 string format."
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def list_events(org: Org, request: Request) -> Response:
    """GET logs: by `since` and `until` (ISO 8601), `filter`, and `q` (a part of any text); ordered by `sortOrder`.

    :raises ApiError: 400, if a date or the expression cannot be read.
    """
    since, until = _date(request, "since", EARLIEST), _date(request, "until", LATEST)
    query = request.args.get("q", "").casefold()
    events = [
        event
        for event in matching(
            (event_json(org.clock, item) for item in org.system_log.events), request.args.get("filter", "")
        )
        if since <= datetime.fromisoformat(event["published"]) <= until and query in str(event).casefold()
    ]
    return list_reply(org, request, events[::-1] if request.args.get("sortOrder") == "DESCENDING" else events)


def _date(request: Request, name: str, default: datetime) -> datetime:
    """Return the date in a parameter of the query, in UTC unless it says otherwise."""
    text = request.args.get(name)
    if not text:
        return default
    try:
        date = datetime.fromisoformat(text)
    except ValueError as error:
        raise validation_error(f"'{name}': {NO_DATE}") from error
    return date if date.tzinfo else date.replace(tzinfo=UTC)
