"""The content of a step's page, for the templates and the JSON API."""

from dataclasses import dataclass
from typing import Any, Literal

from django.utils import timezone

from selfreg.forms import StepForm
from selfreg.forms.qr import authenticator_uri
from selfreg.idx.document import Captcha, IdxResponse, Remediation
from selfreg.idx.password_rules import rules_of
from selfreg.idx.steps import ELSEWHERE, SELECT, Step, feasible_choices, identity_providers, needed_after
from selfreg.registration.exchange import Attempt
from selfreg.registration.state import EnrollmentState, seconds_until
from selfreg.texts import labels
from selfreg.texts.password_rules import listed, password_policy

Standing = Literal["done", "current", "todo"]
POLL_MILLISECONDS = 4_000


@dataclass(frozen=True)
class StepContext:
    """The content of a step's page. Its ``vars`` are the template's context.

    - ``problems``: pairs of a field's HTML id and a message.
    - ``rule_lines``: the rules for a new password, as lines of a list: rules, sentence, whether the submitted password
      breaks one of them.
    - ``progress``: pairs of a label and ``done``, ``current`` or ``todo``.
    - ``captcha``, ``activation`` (the options of a passkey): for scripts.
    - ``authenticator_name``: the authenticator's or the identity provider's.
    - ``secret``, ``secret_uri`` (``otpauth:``): for an authenticator app, else "".
    - ``secret_image``: the org's QR code (a ``data:`` URI) if it sends no secret, or the one for Okta Verify.
    """

    heading: str
    submit: str
    form: StepForm
    step: Step
    notices: list[str]
    problems: list[tuple[str, str]]
    rule_lines: list[tuple[str, str, bool]]
    progress: list[tuple[str, Standing]]
    identity_providers: tuple[Remediation, ...]
    captcha: Captcha | None
    activation: dict[str, Any] | None
    authenticator_name: str
    secret: str
    secret_uri: str
    secret_image: str


@dataclass(frozen=True)
class WaitTimes:
    """The timers of a page: seconds before anything may be sent (``wait``) and before another code may be requested
    (``resend_wait``); milliseconds between polls (``poll``), 0 for a page that does not poll.
    """

    wait: int = 0
    resend_wait: int = 0
    poll: int = 0


def step_context(
    form: StepForm, response: IdxResponse, *, state: EnrollmentState | None = None, is_timed: bool = False
) -> StepContext:
    """Return the content of the page of ``form.step``, in the visitor's language.

    :param state: where the registration stands; None on the first page
    :param is_timed: whether the page counts down until it may be sent
    """
    step, policy = form.step, password_policy(form.step)
    heading, submit = labels.heading(step, response.title, response.button_label)
    app = step.authenticator if step.page in ("totp", "device") else None
    image, secret = (app.qr_image, app.shared_secret if step.page == "totp" else "") if app else ("", "")
    return StepContext(
        heading=heading,
        submit=submit,
        form=form,
        step=step,
        notices=form.page_notices,
        problems=form.problems(is_timed=is_timed),
        rule_lines=[
            (" ".join(f"{r.name}:{r.number}" for r in rules), text, not form.broken_rules.isdisjoint(rules))
            for rules, text in listed(rules_of(policy) if policy else ())
        ],
        progress=_progress_of(step, state) if state else [],
        identity_providers=(step.remediation,) if step.page == ELSEWHERE else identity_providers(response),
        captcha=response.captcha if any(f.hint == "captcha" for f in step.remediation.leaves) else None,
        activation=dict(step.authenticator.activation or {}) if step.page == "passkey" and step.authenticator else None,
        authenticator_name=step.remediation.idp_name or labels.authenticator_name(step.authenticator),
        secret=secret,
        secret_uri=authenticator_uri(secret, response.user_identifier, response.app_label) if secret else "",
        secret_image=image if image.startswith("data:image/") and not secret else "",
    )


def wait_times(attempt: Attempt) -> WaitTimes:
    """Return the timers of a registration's current page."""
    if attempt.state is None:
        return WaitTimes()
    return WaitTimes(
        wait=seconds_until(attempt.state.wait_until),
        resend_wait=seconds_until(attempt.state.resend_at),
        poll=poll_milliseconds(attempt),
    )


def poll_milliseconds(attempt: Attempt) -> int:
    """Return after how many milliseconds the page polls again: the org's interval, or longer after a 429; 0 if the page
    does not poll.
    """
    page, state = attempt.page, attempt.state
    if page is None or state is None or page.poll is None:
        return 0
    paused = round((max(state.wait_until, state.poll_at) - timezone.now().timestamp()) * 1000)
    return max(page.poll.refresh_ms, POLL_MILLISECONDS, paused)


def _progress_of(step: Step, state: EnrollmentState) -> list[tuple[str, Standing]]:
    """Return the parts of the sign-up in their order; [] as long as the org has not said what it needs.

    Steps that can be skipped are not listed, and neither are authenticators that this answer does not mention.
    """
    response = state.response
    select = response.remediation(SELECT)
    selectable = [o.authenticator for o in feasible_choices(select)] if select else []
    every = (*selectable, *response.authenticators, *response.enrolled, step.authenticator)
    holders = {a.key: a for a in every if a}
    current = step.authenticator.key if step.authenticator and step.skip is None else ""
    needed = needed_after(state.needed, response)
    enrolled = {a.key for a in response.enrolled}
    keys = [key for key in dict.fromkeys((*needed, current)) if key in holders]
    standings: list[tuple[str, Standing]] = [(str(labels.YOUR_DETAILS), "done")] if keys and state.profile else []
    for key in keys:
        standing: Standing = "current" if key == current else "done" if key in enrolled else "todo"
        standings.append((labels.authenticator_name(holders[key]), standing))
    return standings
