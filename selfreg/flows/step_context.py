"""What the page of a step says, as a value: the templates' context and the JSON API are made from it."""

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
    """Heading, messages, rules and progress of a step.

    ``captcha`` and ``activation`` are what the provider's and the browser's own scripts need, None when nothing is;
    ``secret`` and ``secret_uri`` belong to an authenticator app, "" for everything else; ``secret_image`` is the org's
    own picture (a ``data:`` URI), where it keeps the key to itself. ``progress`` holds (label, done | current | todo).
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
        """For a template."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class WaitTimes:
    """How long to wait before anything, and before the next code (seconds); how often to ask for news (milliseconds,
    0 for never).
    """

    wait: int = 0
    resend_wait: int = 0
    poll: int = 0

    def as_dict(self) -> dict[str, int]:
        """For a template."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def step_context(form: StepForm, response: IdxResponse) -> StepContext:
    """The page of ``form``'s step, in the visitor's language."""
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
    """The timers of a registration's present page."""
    if attempt.state is None:
        return WaitTimes()
    return WaitTimes(
        wait=seconds_until(attempt.state.wait_until),
        resend_wait=seconds_until(attempt.state.resend_at),
        poll=poll_milliseconds(attempt) if attempt.page and attempt.page.poll else 0,
    )


def _progress(step: Step, response: IdxResponse) -> list[tuple[str, Progress]]:
    """What the org has, what is at hand, what it still names. Never a made-up count."""
    done: list[tuple[str, Progress]] = [(labels.name_of(a.label), "done") for a in response.enrolled if a.label]
    current: list[tuple[str, Progress]] = (
        [(labels.name_of(step.authenticator.label), "current")]
        if step.authenticator and step.authenticator.label
        else []
    )
    named = {label for label, _state in (*done, *current)}
    waiting = [labels.name_of(a.label) for a in response.authenticators if a.label]
    todo: list[tuple[str, Progress]] = [(label, "todo") for label in waiting if label not in named]
    return [*done, *current, *todo] if done or current else []
