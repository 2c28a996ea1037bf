"""A front end without a screen: it asks for every step until there is none."""

import time
from collections.abc import Callable
from typing import Any

import requests

Json = dict[str, Any]


def sign_up(site: str, ask: Callable[[Json], Json]) -> Json:
    """``ask`` shows a step (heading, messages, fields) and returns what was typed, by the fields' names."""
    api, app = f"{site}/signup/api/", requests.Session()
    app.headers["Accept-Language"] = "en"
    app.headers["Authorization"] = f"Bearer {app.post(f'{api}token/').json()['token']}"

    def post(url: str, body: Json) -> Json:
        """Sends it, and sends it again after the time that the site asks to wait."""
        answer: Json = app.post(url, json=body).json()
        while seconds := answer.get("retry_after"):
            time.sleep(seconds)
            answer = app.post(url, json=body).json()
        return answer

    answer = form = app.get(api).json()
    # An answer is the state of the registration, or a problem with the step to show again.
    while step := answer.get("step"):
        if step["mark"]:
            answer = post(f"{api}step/", {"step": step["mark"], "values": ask(step)})
        else:  # the first form: the registration has not started yet
            answer = post(api, {"values": ask(step), "form_version": form["form_version"]})
    return answer
