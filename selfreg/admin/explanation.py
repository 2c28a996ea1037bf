"""What a registration means to an administrator: what the person sees now and what keeps them from going on.

Says keys and our own sentences only: the org's sentences may hold what somebody typed.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg import texts
from selfreg.admin.labels import NOTHING, failure_words, step_words
from selfreg.conf import conf
from selfreg.idx.client import Visitor
from selfreg.idx.document import Message
from selfreg.idx.steps import Step, is_error
from selfreg.models import Registration, RegistrationEvent, Status
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import connect

QUIET = timedelta(minutes=15)

SEES = {
    Status.AWAITING_EMAIL: _("A page that says: open the link in the mail."),
    Status.READY: _("A page that says: your account is ready, sign in."),
    Status.AWAITING_APPROVAL: _("A page that says: your sign-up is being looked at."),
    Status.COMPLETED: _("The site, signed in."),
    Status.CANCELLED: _("A page that says: the sign-up was given up. They can start again."),
    Status.EXPIRED: _("A page that says: the sign-up ran out. They can start again."),
    Status.FAILED: _("A page that says: the sign-up did not work."),
}
WAITS = {
    Status.AWAITING_EMAIL: _("The link in Okta's mail was not opened yet, or the address is not proven yet."),
    Status.READY: _("The account exists; the person has to sign in through Okta once."),
    Status.AWAITING_APPROVAL: _("An administrator has to approve or reject it."),
    Status.CANCELLED: _("It was given up, by the person or by an administrator."),
    Status.EXPIRED: _("The person did not go on in time."),
}
TROUBLES = {
    "OrgUnreachable": _("Okta could not be reached from this server."),
    "AnswerLost": _("Okta did not answer in time."),
    "MalformedAnswer": _("Okta's address answered with something else than Okta's protocol."),
    "ForeignHref": _("Okta pointed to an address that is not its own; it was not followed."),
    "RateLimited": _("Okta limits how often this site may call."),
    "OrgRefused": _("Okta refused the call; the code says why."),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """``sees`` and ``blocks`` are sentences; ``resend`` whether a mail or code can be sent again at this step."""

    sees: tuple[str, ...]
    blocks: tuple[str, ...]
    resend: bool = False


def open_for_admin(registration: Registration, actor: str = "") -> Attempt:
    """For acting in the person's stead: in their language, without the administrator's own address and device."""
    org = connect(conf(), Visitor(language=registration.language or "en"))
    return open_row(registration, org, actor=actor)


def standing_of(registration: Registration, last: RegistrationEvent | None) -> Standing:
    """Reads the row only; no call to the org."""
    attempt = open_for_admin(registration)
    if not attempt.is_readable:
        return Standing((gettext("A page that says: please start again."),), (gettext("Its encryption key is gone."),))
    step = attempt.page
    waits = attempt.state.wait_until - time.time() if step and attempt.state else 0
    blocks = [
        *_of_status(registration),
        *(_of_message(m) for m in (step.messages if step else ()) if is_error(m)),
        *_of_time(registration, round(waits)),
        *_of_trouble(last),
    ]
    return Standing(_sees(registration, step), tuple(dict.fromkeys(blocks)), bool(step and step.resend))


def _sees(registration: Registration, step: Step | None) -> tuple[str, ...]:
    if step is None:
        return (str(SEES.get(Status(registration.status), gettext("A page that goes on by itself."))),)
    leaves = [leaf for outer in step.fields for leaf in outer.leaves]
    labels = [texts.label(leaf) for leaf in leaves if leaf.visible and leaf.mutable and leaf.name != "stateHandle"]
    heading, button = texts.heading(step, "", "")
    asked = gettext("It asks for: %(fields)s.") % {"fields": ", ".join(labels)} if labels else ""
    page = gettext("“%(heading)s” (%(step)s), with the button “%(button)s”.") % {
        "heading": heading,
        "step": step_words(registration.step),
        "button": button,
    }
    return tuple(said for said in (page, asked) if said)


def _of_status(registration: Registration) -> list[str]:
    waits = WAITS.get(Status(registration.status))
    failed = [failure_words(registration.failure)] if registration.failure else []
    return [*([str(waits)] if waits else []), *failed]


def _of_message(message: Message) -> str:
    return failure_words(message.key) if message.key else gettext("Okta found fault with the last answer.")


def _of_time(registration: Registration, waits: int) -> list[str]:
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
        (waits > 0, gettext("Okta limits the calls: nothing goes for %(seconds)d more seconds.") % {"seconds": waits}),
        (
            registration.expires_at is not None and registration.expires_at < now,
            gettext("Okta's transaction ran out. The person's next click starts again with what they had typed."),
        ),
        (
            idle > QUIET and registration.status in (Status.STARTED, Status.ENROLLING, Status.FINISHING),
            gettext("Nothing came from the person's browser for %(minutes)d minutes.")
            % {"minutes": idle.total_seconds() // 60},
        ),
    )
    return [said for holds, said in rules if holds]


def _of_trouble(last: RegistrationEvent | None) -> list[str]:
    if last is None or last.kind != RegistrationEvent.Kind.TROUBLE:
        return []
    name, _space, code = last.outcome.partition(" ")
    said = str(TROUBLES.get(name, name))
    return [f"{said} ({code})" if code else said]


def system_log_url(request_id: str) -> str:
    """Okta's System Log with all that one call did; "" where the issuer is no Okta address with an admin console."""
    parts = urlsplit(conf().issuer)
    name, _dot, domain = (parts.hostname or "").partition(".")
    if not request_id or domain not in ("okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com", "okta.mil"):
        return ""
    query = urlencode({"query": f'transaction.id eq "{request_id}"'})
    return f"https://{name}-admin.{domain}/report/system_log_2?{query}"


def duration(event: RegistrationEvent) -> str:
    return f"{event.milliseconds} ms" if event.milliseconds is not None else NOTHING
