"""The System Log."""

from flask import Request, Response

from okta_devorg.management.json_api import list_reply
from okta_devorg.management.search import matching
from okta_devorg.state.logs.system_log import event_json
from okta_devorg.state.org import Org


def list_events(org: Org, request: Request) -> Response:
    """GET logs: by `since` and `until` (ISO 8601), `filter`, and `q` (a part of any text); ordered by `sortOrder`.

    :raises ApiError: 400, if the expression cannot be read.
    """
    since, until = request.args.get("since", ""), request.args.get("until", "~")
    query = request.args.get("q", "").casefold()
    events = [
        event
        for event in matching(
            (event_json(org.clock, item) for item in org.system_log.events), request.args.get("filter", "")
        )
        if since <= event["published"] <= until and query in str(event).casefold()
    ]
    return list_reply(org, request, events[::-1] if request.args.get("sortOrder") == "DESCENDING" else events)
