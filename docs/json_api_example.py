"""A front end without a screen: it asks for every step until there is none."""

from collections.abc import Callable
from typing import Any

import requests

Json = dict[str, Any]


def sign_up(site: str, ask: Callable[[Json], Json]) -> Json:
    """``ask`` shows a step (heading, messages, fields) and returns what was typed, by the fields' names."""
    api, app = f"{site}/signup/api/", requests.Session()
    app.headers["Accept-Language"] = "en"
    app.headers["Authorization"] = f"Bearer {app.post(f'{api}token/').json()['token']}"
    answer = form = app.get(api).json()
    # An answer is the state of the registration, or a problem with the step to show again.
    while step := answer.get("step"):
        if step["mark"]:
            answer = app.post(f"{api}step/", json={"step": step["mark"], "values": ask(step)}).json()
        else:  # the first form: the registration has not started yet
            answer = app.post(api, json={"values": ask(step), "form_version": form["form_version"]}).json()
    return answer
