"""Explains a registration to an administrator: what the visitor sees now, and why the registration does not go on.

Only keys and this app's sentences are shown, since the org's sentences may repeat what a visitor typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg.admin.labels import failure_label, step_label
from selfreg.conf import conf
from selfreg.idx.client import Visitor
from selfreg.idx.document import Message
from selfreg.idx.steps import Step, is_error
from selfreg.models import Registration, RegistrationEvent
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import connect
from selfreg.registration.state import seconds_until
from selfreg.statuses import ON_STEP_PAGE, STATUS_INFO, Status
from selfreg.texts import labels

IDLE_AFTER = timedelta(minutes=15)
# Okta's domains. The admin console of NAME.DOMAIN is at NAME-admin.DOMAIN.
OKTA_DOMAINS = ("okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com", "okta.mil")

# Class of an IdxError, as events record it -> what happened.
TROUBLES: Mapping[str, str | Promise] = {
    "OrgUnreachable": _("Okta could not be reached from this server."),
    "AnswerLost": _("Okta did not answer in time."),
    "MalformedAnswer": _("What answered at Okta's address does not speak Okta's protocol."),
    "ForeignHref": _("Okta pointed to an address that is not its own; it was not followed."),
    "RateLimited": _("Okta limits how often this site may call."),
    "OrgRefused": _("Okta refused the call; the code says why."),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a registration stands, in sentences.

    ``visitor_sees`` describes the page in front of the visitor, ``blockers`` what keeps the visitor from going on.
    ``can_resend`` is whether a mail or code can be sent again at this step.
    """

    visitor_sees: tuple[str, ...]
    blockers: tuple[str, ...]
    can_resend: bool = False


def open_for_admin(registration: Registration, actor: str = "") -> Attempt:
    """Opens a registration for acting in the visitor's place.

    Okta answers in the visitor's language, and does not learn the administrator's own address and device.
    """
    org = connect(conf(), Visitor(language=registration.language or "en"))
    return open_row(registration, org, actor=actor)


def explain(registration: Registration, last_event: RegistrationEvent | None) -> Explanation:
    """Explains a registration from its row and its last event, without calling the org."""
    attempt = open_for_admin(registration)
    if not attempt.is_readable:
        return Explanation(
            (gettext("A page that says: please start again."),), (gettext("Its encryption key is gone."),)
        )
    step = attempt.page
    seconds_to_wait = seconds_until(attempt.state.wait_until) if step and attempt.state else 0
    blockers = [
        *_blockers_by_status(registration),
        *(_error_sentence(message) for message in (step.messages if step else ()) if is_error(message)),
        *_blockers_by_time(registration, seconds_to_wait),
        *_trouble(last_event),
    ]
    return Explanation(
        visitor_sees=_step_page(registration, step) if step else (_page_without_step(registration),),
        blockers=tuple(dict.fromkeys(blockers)),
        can_resend=bool(step and step.resend),
    )


def system_log_url(request_id: str) -> str:
    """Returns the URL of Okta's System Log with everything that one call did.

    "" without a request id, and where the issuer is no address of Okta with an admin console.
    """
    name, _dot, domain = (urlsplit(conf().issuer).hostname or "").partition(".")
    if not request_id or domain not in OKTA_DOMAINS:
        return ""
    query = urlencode({"query": f'transaction.id eq "{request_id}"'})
    return f"https://{name}-admin.{domain}/report/system_log_2?{query}"


def _page_without_step(registration: Registration) -> str:
    return str(STATUS_INFO[Status(registration.status)].visitor_sees)


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
    return [text for text in (blocker, failure_label(registration.failure)) if text]


def _error_sentence(message: Message) -> str:
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
            gettext("The answer to the last call was lost. The person's next visit asks Okta what became of it."),
        ),
        (
            seconds_to_wait > 0,
            gettext("Okta limits the calls: none is made for %(seconds)d more seconds.") % {"seconds": seconds_to_wait},
        ),
        (
            registration.expires_at is not None and registration.expires_at < now,
            gettext("Okta's transaction ran out. The person's next click starts again with what they had typed."),
        ),
        (
            idle > IDLE_AFTER and registration.status in ON_STEP_PAGE,
            gettext("Nothing came from the person's browser for %(minutes)d minutes.")
            % {"minutes": idle.total_seconds() // 60},
        ),
    )
    return [sentence for applies, sentence in rules if applies]


def _trouble(event: RegistrationEvent | None) -> list[str]:
    if event is None or event.kind != RegistrationEvent.Kind.TROUBLE:
        return []
    error_class, _space, code = event.outcome.partition(" ")
    sentence = str(TROUBLES.get(error_class, error_class))
    return [f"{sentence} ({code})" if code else sentence]
