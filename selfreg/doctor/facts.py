"""Facts about the org for the report: useful to know, but no problems."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from selfreg.doctor.checks.policy import attributes_of
from selfreg.doctor.evidence import Evidence, OrgSettings
from selfreg.doctor.findings import Detail

ORG = _("org")
FORM, LIMITS, URIS, TOKEN = _("form"), _("limits"), _("URIs"), _("token")
AUTHENTICATORS, SIGN_UP = _("authenticators"), _("sign-up")
LEVELS = ((_("the policy requires: %(keys)s"), "REQUIRED"), (_("the policy offers: %(keys)s"), "OPTIONAL"))


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the report. ``subject`` is English, marked for translation."""

    subject: str
    detail: Detail


def not_examined() -> Fact:
    """Return the fact that the org was not called, because this site's settings do not allow it."""
    return Fact(ORG, Detail(_("not checked: correct this site's own settings first")))


def facts_of(evidence: Evidence) -> Iterator[Fact]:
    """Yield the facts in the order of the report."""
    if evidence.form:
        yield _fact(FORM, _("asks for: %(fields)s"), fields=", ".join(attributes_of(evidence.form)))
    if evidence.transaction_seconds:
        text = _("visitors have %(minutes)d minutes to send the form")
        yield _fact(FORM, text, minutes=round(evidence.transaction_seconds / 60))
    if limit := evidence.rate_limit:
        text = _("%(remaining)d of %(limit)d calls left: that many sign-ups can start in this minute")
        yield _fact(LIMITS, text, remaining=limit.remaining, limit=limit.limit)
    if evidence.org_settings:
        yield from _org_facts(evidence.org_settings)
        if evidence.app and evidence.app.email_callback_uri is None:
            text = _("check by hand: the Email Verification Experience URI must be %(uri)s")
            yield _fact(URIS, text, uri=evidence.site.email_callback_uri)
    elif not evidence.has_api_access:
        text = _("none (%(setting)s): assignments, authenticators and policies can't be read")
        yield _fact(TOKEN, text, setting="SELFREG['API_TOKEN']")


def _org_facts(org: OrgSettings) -> Iterator[Fact]:
    for text, level in LEVELS:
        keys = [key for key, value in org.enrollment.items() if value == level]
        yield _fact(AUTHENTICATORS, text, keys=", ".join(keys) or "-")
    policy = org.profile_policy
    if policy and policy.email_verification:
        yield _fact(
            SIGN_UP, _("policy “%(policy)s”; email addresses are verified before access is granted"), policy=policy.name
        )
    elif policy:
        yield _fact(SIGN_UP, _("policy “%(policy)s”; email addresses needn't be verified"), policy=policy.name)
    if org.email_minutes:
        yield _fact(
            AUTHENTICATORS, _("codes and links in emails are valid for %(minutes)d minutes"), minutes=org.email_minutes
        )


def _fact(subject: str, text: str, **values: str | int) -> Fact:
    return Fact(subject, Detail(text, values))
