"""An org with scripted answers, behind the HTTP layer of the client."""

import json
import re
from typing import Any, Self

import responses
from requests import PreparedRequest

from support.idx.documents import ORG, document, profile_field, step

Json = dict[str, Any]
ISSUER = f"{ORG}/oauth2/default"
SIGN_IN = document(
    step("identify", {"name": "identifier", "label": "Username"}, path="/idp/idx/identify"),
    step("select-enroll-profile", path="/idp/idx/enroll"),
)
FORM = document(step("enroll-profile", profile_field("email", required=True), path="/idp/idx/enroll/new"))


class ScriptedOrg:
    """Answers with a sign-in page, the profile form, then ``answers`` in order; the last one repeats.

    ``sent`` has (path, body) of every submission after the profile form was shown.
    """

    def __init__(self) -> None:
        self.mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        self.current = (200, SIGN_IN)
        self.answers: list[tuple[int, Json]] = []
        self.sent: list[tuple[str, Json]] = []

    def __enter__(self) -> Self:
        self.mock.start()
        self.mock.post(f"{ISSUER}/v1/interact", json={"interaction_handle": "made-up-handle"})
        self.mock.add_callback("POST", re.compile(f"{re.escape(ORG)}/idp/idx/.*"), callback=self._answer)
        return self

    def __exit__(self, *_: object) -> None:
        self.mock.stop(allow_assert=False)

    def starts_with(self, page: Json, status: int = 200) -> Self:
        """Sets the first page, in place of the sign-in page."""
        self.current = (status, page)
        return self

    def answers_with(self, *pages: Json, status: int = 200) -> Self:
        self.answers = [(status, page) for page in pages]
        return self

    @property
    def body(self) -> Json:
        """The body of the last submission."""
        return self.sent[-1][1]

    def _answer(self, request: PreparedRequest) -> tuple[int, Json, str]:
        path = str(request.path_url)
        if path == "/idp/idx/introspect":
            status, page = self.current
        elif path == "/idp/idx/enroll":
            status, page = self.current = (200, FORM)
        else:
            self.sent.append((path, json.loads(request.body or "{}")))
            status, page = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return status, {"Content-Type": "application/ion+json; okta-version=1.0.0"}, json.dumps(page)
