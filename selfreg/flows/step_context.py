"""What the page of a step says, whichever door it goes out by: the templates' context, the JSON interface."""

import time
from typing import Any

from selfreg.forms import StepForm
from selfreg.forms.qr import authenticator_uri
from selfreg.idx.document import IdxResponse
from selfreg.idx.steps import Step, identity_providers
from selfreg.registration.enrollment import Enrollment
from selfreg.texts import labels
from selfreg.texts.password_rules import password_policy, password_rules


def description_of(form: StepForm, response: IdxResponse) -> dict[str, Any]:
    """Heading, messages, rules and progress of a step.

    ``captcha`` and ``activation`` are what the provider's and the browser's own scripts need, None when nothing is;
    ``secret`` and ``secret_uri`` belong to an authenticator app, "" for everything else; ``secret_image`` is the org's
    own picture (a ``data:`` URI), where it keeps the key to itself.
    """
    step, policy = form.step, password_policy(form.step)
    heading, submit = labels.heading(step, response.title, response.button_label)
    app = step.authenticator if step.page == "totp" else None
    secret, image = (app.shared_secret, app.qr_image) if app else ("", "")
    return {
        "heading": heading,
        "submit": submit,
        "form": form,
        "step": step,
        "notices": form.page_notices,
        "problems": form.problems,
        "rules": password_rules(policy) if policy else (),
        "progress": _progress(step, response),
        "identity_providers": identity_providers(response),
        "captcha": response.captcha if any(f.hint == "captcha" for f in step.remediation.leaves) else None,
        "activation": step.authenticator.activation if step.page == "passkey" and step.authenticator else None,
        "secret": secret,
        "secret_uri": authenticator_uri(secret, response.user_identifier, response.app_label) if secret else "",
        "secret_image": image if image.startswith("data:image/") and not secret else "",
    }


def standing_of(enrollment: Enrollment, form: StepForm) -> dict[str, int]:
    """How long to wait before anything, and before the next code (seconds); how often to ask for news (milliseconds,
    0 for never).
    """
    return {
        "wait": seconds_until(enrollment.flow.wait_until),
        "resend_wait": seconds_until(enrollment.flow.resend_at),
        "poll": enrollment.poll_milliseconds() if form.step.poll else 0,
    }


def seconds_until(moment: float) -> int:
    """Whole seconds from now, never negative."""
    return max(0, round(moment - time.time()))


def _progress(step: Step, response: IdxResponse) -> list[tuple[str, str]]:
    """(label, done | current | todo): what the org has, what is at hand, what it still names. Never a made-up count."""
    done = [(labels.name_of(a.label), "done") for a in response.enrolled if a.label]
    current = (
        [(labels.name_of(step.authenticator.label), "current")]
        if step.authenticator and step.authenticator.label
        else []
    )
    named = {label for label, _state in (*done, *current)}
    waiting = [labels.name_of(a.label) for a in response.authenticators if a.label]
    todo = [(label, "todo") for label in waiting if label not in named]
    return [*done, *current, *todo] if done or current else []
