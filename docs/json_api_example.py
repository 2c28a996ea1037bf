"""An app of its own signs somebody up: every step is asked for until there is none."""

from collections.abc import Callable
from typing import Any

import requests

Json = dict[str, Any]


def sign_up(site: str, ask: Callable[[Json], Json]) -> Json:
    """``ask`` shows a step (heading, messages, fields) and returns what was typed, by the fields' names."""
    api, app = f"{site}/signup/api/", requests.Session()
    app.headers["Accept-Language"] = "en"
    app.headers["Authorization"] = f"Bearer {app.post(f'{api}token/').json()['token']}"
    form = app.get(api).json()
    answer = app.post(api, json={"values": ask(form["step"]), "form_version": form["form_version"]}).json()
    while step := answer.get("step"):
        # An answer is where the registration stands, or a problem with the step to show again.
        answer = app.post(f"{api}step/", json={"step": step["mark"], "values": ask(step)}).json()
    return answer
