"""Explains a registration to an administrator: what the visitor sees now, and what prevents them from continuing.

It only shows keys and this app's own sentences, because the org's sentences may repeat what a visitor typed.
"""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext

from selfreg.admin.labels import failure_label, step_label, trouble_sentence
from selfreg.idx.client import Visitor
from selfreg.idx.document import Message
from selfreg.idx.steps import Step, is_error
from selfreg.models import Registration, RegistrationEvent
from selfreg.registration.approval import REJECTED
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import connect
from selfreg.registration.state import seconds_until
from selfreg.reports.attention import IDLE_AFTER
from selfreg.statuses import ON_STEP_PAGE, STATUS_INFO, Status
from selfreg.texts import labels
from selfreg.texts.messages import duration


@dataclass(frozen=True, slots=True)
class Explanation:
    """The situation of a registration, in sentences.

    ``visitor_sees`` describes the visitor's page, and ``blockers`` what prevents them from continuing. ``can_resend``
    is whether an email or code can be sent again now. ``is_readable`` is False if the encryption key of the
    registration's state was removed.
    """

    visitor_sees: tuple[str, ...]
    blockers: tuple[str, ...]
    can_resend: bool = False
    is_readable: bool = True


def open_for_admin(registration: Registration, actor: str = "") -> Attempt:
    """Open a registration for acting on behalf of the visitor.

    Okta answers in the visitor's language, and does not see the administrator's address and device.
    """
    org = connect(registration.settings, Visitor(language=registration.language or "en"))
    return open_row(registration, org, actor=actor)


def explain(registration: Registration, last_event: RegistrationEvent | None, attempts: str = "") -> Explanation:
    """Explain a registration from its row and its last event, without calling the org.

    :param attempts: which answers were refused at the current step, instead of the messages of the last one
    """
    attempt = open_for_admin(registration)
    if not attempt.is_readable:
        return Explanation(
            (gettext("A page that says: please start again."),),
            (gettext("Its encryption key is gone."),),
            is_readable=False,
        )
    step, info = attempt.page, STATUS_INFO[Status(registration.status)]
    has_to_wait = step is not None and attempt.state is not None and seconds_until(attempt.state.resend_at) > 0
    seconds_to_wait = seconds_until(attempt.state.wait_until) if step and attempt.state else 0
    messages = [error_sentence(message) for message in (step.messages if step else ()) if is_error(message)]
    blockers = [
        *_blockers_by_status(registration),
        *([attempts] if attempts else messages),
        *_blockers_by_time(registration, seconds_to_wait),
        *_trouble(last_event),
    ]
    return Explanation(
        visitor_sees=_step_page(registration, step) if step else (str(info.visitor_sees),),
        blockers=tuple(dict.fromkeys(blockers)),
        can_resend=bool(step and step.resend) and not has_to_wait,
    )


def _step_page(registration: Registration, step: Step) -> tuple[str, ...]:
    heading, button = labels.heading(step, "", "")
    page = gettext("“%(heading)s” (%(step)s), with the button “%(button)s”.") % {
        "heading": heading,
        "step": step_label(registration.step),
        "button": button,
    }
    leaves = step.leaves
    names = [labels.label(leaf) for leaf in leaves if leaf.visible and leaf.mutable and leaf.name != "stateHandle"]
    return (page, gettext("It asks for: %(fields)s.") % {"fields": ", ".join(names)}) if names else (page,)


def _blockers_by_status(registration: Registration) -> list[str]:
    blocker = str(STATUS_INFO[Status(registration.status)].blocker)
    # Only these are an administrator's words. All others are the org's, in the visitor's language.
    reason = registration.failure_text if registration.failure == REJECTED else ""
    return [text for text in (blocker, failure_label(registration.failure), reason) if text]


def error_sentence(message: Message) -> str:
    """Return what a message means, for administrators, never in the org's own words: they may quote what was typed."""
    return failure_label(message.key) if message.key else gettext("Okta did not accept the last answer.")


def _blockers_by_time(registration: Registration, seconds_to_wait: int) -> list[str]:
    if not registration.is_open:
        return []
    now = timezone.now()
    idle = now - registration.updated_at
    rules = (
        (registration.is_busy, gettext("A call to Okta is under way right now.")),
        (
            registration.in_doubt,
            gettext(
                "The answer to the last call was lost. On the person's next visit, the site asks Okta what happened."
            ),
        ),
        (
            seconds_to_wait > 0,
            gettext("Okta limits how often this site may call. The next call is possible in %(time)s.")
            % {"time": duration(seconds_to_wait)},
        ),
        (
            registration.expires_at is not None and registration.expires_at < now,
            gettext("The sign-up timed out at Okta. The person's next click starts again, with what they had typed."),
        ),
        (
            idle > IDLE_AFTER and registration.status in ON_STEP_PAGE,
            gettext("No activity in the person's browser for %(time)s.")
            % {"time": timesince(registration.updated_at, depth=1)},
        ),
    )
    return [sentence for applies, sentence in rules if applies]


def _trouble(event: RegistrationEvent | None) -> list[str]:
    is_trouble = event is not None and event.kind == RegistrationEvent.Kind.TROUBLE
    return [trouble_sentence(event.outcome)] if event and is_trouble else []
