"""The System Log."""

from flask import Request, Response

from okta_devorg.management.access import listing
from okta_devorg.management.search import matches
from okta_devorg.state.org import Org
from okta_devorg.state.system_log import event_json


def list_events(org: Org, request: Request) -> Response:
    """`since` and `until` (ISO 8601), `filter`, `q` (part of any text), `sortOrder`."""
    shown = [event_json(org.clock, event) for event in org.system_log.events]
    since, until = request.args.get("since", ""), request.args.get("until", "~")
    expression, query = request.args.get("filter", ""), request.args.get("q", "").casefold()
    found = [
        item
        for item in shown
        if since <= item["published"] <= until
        and (not expression or matches(expression, item))
        and query in str(item).casefold()
    ]
    return listing(org, request, found[::-1] if request.args.get("sortOrder") == "DESCENDING" else found)
