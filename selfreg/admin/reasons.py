"""Why a registration is where it is, in one line of the list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Max
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.timesince import timesince
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from selfreg.admin.labels import ago, sentence, trouble_sentence
from selfreg.models import Registration, RegistrationEvent
from selfreg.reports.attention import IDLE_AFTER
from selfreg.statuses import ON_STEP_PAGE, Status

Kind = RegistrationEvent.Kind
WRONG_CODES = frozenset({"api.authn.error.PASSCODE_INVALID", "authfactor.challenge.soft_token.invalid_passcode"})
WAITING: Mapping[Status, str | Promise] = {
    Status.AWAITING_EMAIL: _("The link in the email has not been opened"),
    Status.READY: _("The account is ready; they have not signed in"),
    Status.AWAITING_APPROVAL: _("Has to be approved or rejected"),
}


@dataclass(frozen=True, slots=True)
class Repeated:
    """How often the same thing happened to a registration, and when it last did."""

    kind: str
    step: str
    outcome: str
    times: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Activity:
    """What happened to a registration, most recent last."""

    events: tuple[Repeated, ...] = field(default=())

    def refusals(self, step: str) -> tuple[Repeated, ...]:
        """Return the refused answers of a step."""
        return tuple(e for e in self.events if e.kind == Kind.ANSWERED and e.step == step and e.outcome != "ok")

    def resends(self, step: str) -> int:
        """Return how often a code or an email was sent again at a step."""
        return sum(e.times for e in self.events if e.kind == Kind.RESENT and e.step == step)

    @property
    def last_trouble(self) -> str:
        """The outcome of the last event, if that is a failed call to Okta."""
        last = self.events[-1] if self.events else None
        return last.outcome if last and last.kind == Kind.TROUBLE else ""


def activities(registrations: Iterable[Registration]) -> Mapping[Any, Activity]:
    """Return what happened to the registrations of a page, with one query. Completed ones are left out."""
    ids = [r.pk for r in registrations if r.status != Status.COMPLETED]
    rows = (
        RegistrationEvent.objects.filter(registration__in=ids)
        .order_by()
        .values_list("registration_id", "kind", "step", "outcome")
        .annotate(times=Count("pk"), last=Max("at"), newest=Max("pk"))
    )
    found: dict[Any, list[Repeated]] = {}
    for pk, *event, newest in sorted(rows, key=lambda row: row[-1]) if ids else ():
        del newest
        found.setdefault(pk, []).append(Repeated(*event))
    return {pk: Activity(tuple(events)) for pk, events in found.items()}


def reason(registration: Registration, activity: Activity) -> str:
    """Return what holds a registration up, or how long it took; "" if there is nothing to say."""
    status = Status(registration.status)
    if status == Status.COMPLETED and registration.finished_at:
        took = timesince(registration.created_at, registration.finished_at, depth=1)
        seconds = (registration.finished_at - registration.created_at).total_seconds()
        return gettext("Took %(time)s") % {"time": took if seconds >= 60 else gettext("less than a minute")}
    if status == Status.FAILED:
        return sentence(registration.failure)
    if status in WAITING:
        return str(WAITING[status])
    return _at_step(registration, activity)


def attempts(registration: Registration, activity: Activity) -> str:
    """Return which answers were refused at the current step, and when the last one was; "" if none was."""
    refusals = activity.refusals(registration.step)
    if not refusals:
        return ""
    last = gettext("last try %(ago)s") % {"ago": ago(max(refusal.last for refusal in refusals))}
    return f"{_refused(refusals)}, {last}"


def _at_step(registration: Registration, activity: Activity) -> str:
    if refused := attempts(registration, activity):
        return refused
    if activity.last_trouble:
        return trouble_sentence(activity.last_trouble)
    if times := activity.resends(registration.step):
        text = ngettext("Asked for another code %(count)d time", "Asked for another code %(count)d times", times)
        return text % {"count": times}
    if registration.status not in ON_STEP_PAGE:
        return ""
    if timezone.now() - registration.updated_at < IDLE_AFTER:
        return gettext("Active now")
    return gettext("No activity for %(time)s") % {"time": timesince(registration.updated_at, depth=1)}


def _refused(refusals: tuple[Repeated, ...]) -> str:
    """Return "2 wrong codes", or the message of the last refusal and how many there were."""
    wrong = sum(refusal.times for refusal in refusals if refusal.outcome in WRONG_CODES)
    if wrong:
        return ngettext("%(count)d wrong code", "%(count)d wrong codes", wrong) % {"count": wrong}
    times = sum(refusal.times for refusal in refusals)
    text = " ".join(sentence(key) for key in refusals[-1].outcome.split()).rstrip(".")
    return f"{text} ({times}×)" if times > 1 else text
