"""Reading the body of an IDX request. Every function raises IdxError (400) for a body that does not fit the step."""

from flask import Request

from okta_devorg.wire.errors import bad_request
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import parse_json


def request_body(request: Request) -> Json:
    """Return the JSON object that was sent.

    :raises IdxError: if the body is something else.
    """
    body = parse_json(request.get_data())
    if not isinstance(body, dict):
        raise bad_request()
    return body


def object_value(values: Json, name: str) -> Json:
    """Return the object under `name`.

    :raises IdxError: if it is missing or something else.
    """
    value = values.get(name)
    if not isinstance(value, dict):
        raise bad_request()
    return value


def text_value(values: Json, name: str) -> str:
    """Return the text under `name`, an empty one if it is missing.

    :raises IdxError: if it is something else.
    """
    value = values.get(name, "")
    if not isinstance(value, str):
        raise bad_request()
    return value


def boolean_value(values: Json, name: str) -> bool:
    """Return the boolean under `name`, also if radio buttons sent it as the text "true" or "false".

    :raises IdxError: if it is missing or something else.
    """
    value = {"true": True, "false": False}.get(str(values.get(name)).lower())
    if value is None:
        raise bad_request()
    return value
