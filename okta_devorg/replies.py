"""JSON answers."""

import json

from flask import Response


def json_reply(body: object, status: int = 200, content_type: str = "application/json") -> Response:
    return Response(json.dumps(body, separators=(",", ":")), status, content_type=content_type)
