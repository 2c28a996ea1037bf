"""The content of a step's page as a value, for the templates and the JSON API."""

from dataclasses import dataclass, fields
from typing import Any, Literal

from selfreg.forms import StepForm
from selfreg.forms.qr import authenticator_uri
from selfreg.idx.document import Captcha, IdxResponse, Remediation
from selfreg.idx.steps import Step, identity_providers
from selfreg.registration.commands import poll_milliseconds
from selfreg.registration.exchange import Attempt
from selfreg.registration.state import seconds_until
from selfreg.texts import labels
from selfreg.texts.password_rules import password_policy, password_rules

Progress = Literal["done", "current", "todo"]


@dataclass(frozen=True, slots=True)
class StepContext:
    """The content of a step's page.

    ``problems`` are pairs of a field's HTML id and a message, ``rules`` pairs as ``password_rules`` returns them, and
    ``progress`` pairs of a label and ``done``, ``current`` or ``todo``. ``captcha`` and ``activation`` (the options of
    a passkey) are for scripts; None if there is none. ``secret`` and ``secret_uri`` (``otpauth:``) are for an
    authenticator app, else ""; ``secret_image`` is the org's QR code (a ``data:`` URI) if it does not send the secret.
    """

    heading: str
    submit: str
    form: StepForm
    step: Step
    notices: list[str]
    problems: list[tuple[str, str]]
    rules: tuple[tuple[str, str], ...]
    progress: list[tuple[str, Progress]]
    identity_providers: tuple[Remediation, ...]
    captcha: Captcha | None
    activation: dict[str, Any] | None
    secret: str
    secret_uri: str
    secret_image: str

    def as_dict(self) -> dict[str, Any]:
        """Returns the template's context."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class WaitTimes:
    """The timers of a page: seconds before anything may be sent (``wait``) and before another code may be requested
    (``resend_wait``); milliseconds between polls (``poll``), 0 for a page that does not poll.
    """

    wait: int = 0
    resend_wait: int = 0
    poll: int = 0

    def as_dict(self) -> dict[str, int]:
        """Returns the template's context."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def step_context(form: StepForm, response: IdxResponse) -> StepContext:
    """Returns the content of the page of ``form.step``, in the visitor's language."""
    step, policy = form.step, password_policy(form.step)
    heading, submit = labels.heading(step, response.title, response.button_label)
    app = step.authenticator if step.page == "totp" else None
    secret, image = (app.shared_secret, app.qr_image) if app else ("", "")
    return StepContext(
        heading=heading,
        submit=submit,
        form=form,
        step=step,
        notices=form.page_notices,
        problems=form.problems,
        rules=tuple(password_rules(policy)) if policy else (),
        progress=_progress(step, response),
        identity_providers=identity_providers(response),
        captcha=response.captcha if any(f.hint == "captcha" for f in step.remediation.leaves) else None,
        activation=_activation(step),
        secret=secret,
        secret_uri=authenticator_uri(secret, response.user_identifier, response.app_label) if secret else "",
        secret_image=image if image.startswith("data:image/") and not secret else "",
    )


def _activation(step: Step) -> dict[str, Any] | None:
    activation = step.authenticator.activation if step.page == "passkey" and step.authenticator else None
    return dict(activation) if activation is not None else None


def wait_times(attempt: Attempt) -> WaitTimes:
    """Returns the timers of a registration's current page."""
    if attempt.state is None:
        return WaitTimes()
    return WaitTimes(
        wait=seconds_until(attempt.state.wait_until),
        resend_wait=seconds_until(attempt.state.resend_at),
        poll=poll_milliseconds(attempt) if attempt.page and attempt.page.poll else 0,
    )


def _progress(step: Step, response: IdxResponse) -> list[tuple[str, Progress]]:
    """Returns the enrolled authenticators, the current one, and those that the org offers; [] if none is current."""
    done: list[tuple[str, Progress]] = [(labels.name_of(a.label), "done") for a in response.enrolled if a.label]
    current: list[tuple[str, Progress]] = (
        [(labels.name_of(step.authenticator.label), "current")]
        if step.authenticator and step.authenticator.label
        else []
    )
    seen = {label for label, _state in (*done, *current)}
    listed = [labels.name_of(a.label) for a in response.authenticators if a.label]
    todo: list[tuple[str, Progress]] = [(label, "todo") for label in listed if label not in seen]
    return [*done, *current, *todo] if done or current else []
