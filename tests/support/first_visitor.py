"""``python -m support.first_visitor`` measures the extra work for the first visitor of a new worker.

The process starts like a worker of gunicorn: the application is loaded, then the hook of ``deploy/gunicorn.conf.py``
runs. Two visitors sign up one after the other, each in a separate thread. Prints a JSON list:
for each of them their requests, each with the modules that it imported, the files that it opened, the templates that
it compiled, the connections that it opened, and how often it sent something to another machine. ORG is the URL of a
local org whose site is ``person.SITE``.
"""

import json
import os
import runpy
import sys
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import requests
from django.conf import settings
from django.template.base import Template
from django.test import override_settings

from project.wsgi import application
from support.person import Person

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Request:
    """One request, and the work that was done for it."""

    what: str
    imported: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    compiled: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    sent: int = 0


class WorkRecorder:
    """Records the work that is done for each request."""

    def __init__(self) -> None:
        self.request: Request | None = None
        sys.addaudithook(self.audit)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        request = self.request
        if request is None:
            return
        if event == "open" and isinstance(arguments[0], str):
            request.opened.append(arguments[0])
        elif event == "socket.connect":
            request.connected.append(str(arguments[1]))
        elif event == "http.client.send":
            request.sent += 1

    def serve(self, generic: Any, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        self.request, before = Request(f"{method} {path.split('?')[0]}"), set(sys.modules)
        request = self.request
        try:
            return generic(method, path, *arguments, **options)
        finally:
            self.request = None
            request.imported = sorted(set(sys.modules) - before)
            served_requests.append(request)

    def compile(self, template: Template) -> Any:
        if self.request is not None:
            self.request.compiled.append(str(template.name))
        return compile_nodelist(template)


compile_nodelist = Template.compile_nodelist
served_requests: list[Request] = []


class Org:
    """The mailbox of a local org."""

    def code(self, to: str) -> str:
        messages = requests.get(f"{os.environ['ORG']}/_devorg/messages", params={"to": to}, timeout=30).json()
        return next(str(m["code"]) for m in messages if m["code"])


def visit(recorder: WorkRecorder, email: str) -> list[dict[str, Any]]:
    """Signs up, and returns the requests to the site."""
    served_requests.clear()
    person = Person(email)
    person.browser.generic = partial(recorder.serve, person.browser.generic)  # type: ignore[method-assign]
    person.signs_up(Org())  # type: ignore[arg-type]
    assert person.is_signed_in
    return [vars(request) for request in served_requests]


def main() -> None:
    # However long this machine takes, the form stays in the cache.
    with override_settings(SELFREG={**settings.SELFREG, "FORM_CACHE_SECONDS": 3600}):
        print(json.dumps(two_visits()))


def two_visits() -> list[list[dict[str, Any]]]:
    if "--cold" not in sys.argv:
        runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))["post_worker_init"](application)
    recorder, seen = WorkRecorder(), list[list[dict[str, Any]]]()
    with mock.patch.object(Template, "compile_nodelist", lambda template: recorder.compile(template)):
        for email in ("first@example.com", "second@example.com"):
            thread = threading.Thread(target=lambda email=email: seen.append(visit(recorder, email)))
            thread.start()
            thread.join()
    return seen


if __name__ == "__main__":
    main()
