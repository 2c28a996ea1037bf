"""Checks the org's policies: sign-up, authenticators, and whether this site can show the form."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop as _

from selfreg.accounts.okta_events import ENDS_ACCOUNT, PROVES_EMAIL
from selfreg.doctor.checks.connection import clocks_agree
from selfreg.doctor.evidence import Evidence, OrgSettings, ProfileField, Site
from selfreg.doctor.findings import Finding, finding
from selfreg.idx.authenticators import by_key
from selfreg.idx.document import Captcha, Field, Remediation
from selfreg.idx.steps import is_error, is_script_only
from selfreg.web.captcha_widgets import can_be_shown

# Parts of the message keys of an org whose policy allows sign-up, but which can't offer it at the moment.
UNAVAILABLE = ("safe.mode", "unavailable", "not.completed", "generic")
DISABLED = {"okta_email": "email-disabled", "phone_number": "phone-disabled", "okta_password": "password-not-required"}
ADVISED_EMAIL_MINUTES = 10
SHORTEST_TRANSACTION_SECONDS = 300.0
SUPPORTED_TYPES = frozenset({"string", "boolean", "integer", "number", "decimal"})
CAPTCHA_HINT = "captcha"
PROFILE = "userProfile."
LOGIN, WRITABLE = "login", "READ_WRITE"


def check_sign_up(evidence: Evidence) -> Iterator[Finding]:
    """Check that the app offers sign-up, and that email verification is set as in this site's settings."""
    policy = evidence.profile_policy
    unattached = evidence.org_settings.unattached if evidence.org_settings else ()
    if policy is not None and not policy.sign_up and unattached:
        yield finding("signup-unattached", _("policy “%(policy)s”"), policy=", ".join(unattached))
    elif policy is not None and not policy.sign_up:
        yield finding("signup-denied", _("policy “%(policy)s”"), policy=policy.name)
    elif evidence.response is not None and evidence.form is None:
        messages = evidence.response.messages
        is_allowed = policy is not None or any(part in m.key for m in messages for part in UNAVAILABLE)
        sentences = "; ".join(message.text for message in messages if is_error(message))
        yield finding("signup-unavailable" if is_allowed else "signup-denied", org=sentences)
    if evidence.app and policy is None:
        yield finding("signup-policy")
    if policy is not None and policy.sign_up and policy.email_verification != evidence.site.email_is_mandatory:
        yield finding("email-verification-on" if policy.email_verification else "email-verification-off")


def check_authenticators(evidence: Evidence) -> Iterator[Finding]:
    """Check the authenticators that this site needs or can't show, and how long codes and transactions are valid."""
    seconds = evidence.transaction_seconds
    if seconds is not None and seconds < SHORTEST_TRANSACTION_SECONDS and clocks_agree(evidence):
        yield finding("transaction-lifetime", _("%(seconds)d seconds"), seconds=round(seconds))
    org = evidence.org_settings
    if org is None:
        return
    for key in evidence.site.authenticators:
        level = "INACTIVE" if key in org.inactive else org.enrollment.get(key, "NOT_ALLOWED")
        if level not in ("INACTIVE", "NOT_ALLOWED") and key in org.recovery_only:
            yield finding("authenticator-recovery", authenticator=key)
        if key == "phone_number" and org.lacks_telephony:
            yield finding("telephony", _("Okta answers E0000226 unless it sends the texts itself"))
        elif level in ("INACTIVE", "NOT_ALLOWED") or (key == "okta_password" and level != "REQUIRED"):
            yield finding(DISABLED.get(key, "authenticator-disabled"), authenticator=f"{key}: {level}")
    unsupported = [
        key for key, level in org.enrollment.items() if level == "REQUIRED" and not by_key(key).can_be_enrolled
    ]
    if unsupported:
        yield finding("authenticator-unsupported", authenticators=", ".join(unsupported))
    if org.promotes_passkeys and not _can_share_passkeys(evidence.site):
        yield finding(
            "promotion", _("site: %(site)s, org: %(org)s"), site=evidence.site.base_url, org=evidence.site.issuer
        )
    if org.email_minutes is not None and org.email_minutes > ADVISED_EMAIL_MINUTES:
        yield finding("email-lifetime", _("%(minutes)d minutes"), minutes=org.email_minutes)


def _can_share_passkeys(site: Site) -> bool:
    """Return whether a passkey of this site can be used on the org's pages: both must have the same domain, and no IP
    address (Web Authentication, section 5.1.2).
    """
    hosts = [urlsplit(url).hostname or "" for url in (site.base_url, site.issuer)]
    domains = {".".join(host.split(".")[-2:]) for host in hosts}
    return len(domains) == 1 and not any(host.replace(".", "").isdecimal() or ":" in host for host in hosts)


def check_form(evidence: Evidence) -> Iterator[Finding]:
    """Check the sign-up form, the user profile schema, and the org's hooks."""
    form, site, org = evidence.form, evidence.site, evidence.org_settings
    profile = org.profile if org else {}
    if form is not None and evidence.response is not None:
        yield from _unsupported_fields(form)
        if site.email_is_mandatory and not _asks_for_address(form):
            yield finding("form-without-email")
        yield from _captcha(form, evidence.response.captcha)
        yield from _missing_attributes(site.attributes, attributes_of(form), profile)
    if org:
        # Without a form, the policy has its attributes.
        policy = org.profile_policy
        attributes = attributes_of(form) if form else policy.attributes if policy else ()
        yield from _profile(attributes, profile, has_hook=bool(site.hook_url))
        if policy and (unasked := [i for i in policy.identifiers if i != LOGIN and i not in attributes]):
            yield finding("identifiers", fields=", ".join(unasked))
        if policy and policy.hook_ids and site.hides_accounts:
            yield finding("hook-tells")
        yield from _registration_hook(site.hook_url, org)
        yield from _event_hook(site.event_hook_url, org)


def attributes_of(form: Remediation) -> tuple[str, ...]:
    """Return the attributes of the user profile that a form has, in its order."""
    return tuple(field.path.removeprefix(PROFILE) for field in form.leaves if field.path.startswith(PROFILE))


def _asks_for_address(form: Remediation) -> bool:
    return form.name != "enroll-profile" or any(f.path == f"{PROFILE}email" and f.required for f in form.leaves)


def _unsupported_fields(form: Remediation) -> Iterator[Finding]:
    if paths := [field.path for field in form.leaves if not _is_supported(field)]:
        yield finding("field-unsupported", fields=", ".join(paths))


def _is_supported(field: Field) -> bool:
    """Return whether a page can show a field. CAPTCHAs are checked separately."""
    has_other_type = field.visible and field.type not in SUPPORTED_TYPES
    return field.hint == CAPTCHA_HINT or not (is_script_only(field) or has_other_type)


def _captcha(form: Remediation, captcha: Captcha | None) -> Iterator[Finding]:
    if not any(field.hint == CAPTCHA_HINT for field in form.leaves):
        return
    if captcha is None or not can_be_shown(captcha):
        text = _("provider %(provider)s: no site key, or one that this site does not know")
        yield finding("captcha", text, provider=captcha.kind if captcha else "-")


def _missing_attributes(
    required: tuple[str, ...], present: tuple[str, ...], profile: Mapping[str, ProfileField]
) -> Iterator[Finding]:
    missing = [name for name in required if name not in present]
    unknown = [name for name in missing if profile and name not in profile]
    if unknown:
        yield finding("field-unknown", fields=", ".join(unknown))
    if not_on_the_form := [name for name in missing if name not in unknown]:
        yield finding("field-missing", fields=", ".join(not_on_the_form))


def _profile(attributes: tuple[str, ...], profile: Mapping[str, ProfileField], *, has_hook: bool) -> Iterator[Finding]:
    """Check the attributes of the form, except the login, which visitors can enter even if it is read-only."""
    fields = {name: profile[name] for name in attributes if name in profile and name != LOGIN}
    if read_only := [f"{name}: {field.permission}" for name, field in fields.items() if field.permission != WRITABLE]:
        yield finding("field-read-only", fields=", ".join(read_only))
    if foreign := [name for name, field in fields.items() if not field.from_okta]:
        yield finding("field-source", fields=", ".join(foreign))
    if has_hook and (sensitive := [name for name, field in fields.items() if field.sensitive]):
        yield finding("field-sensitive", fields=", ".join(sensitive))


def _registration_hook(url: str, org: OrgSettings) -> Iterator[Finding]:
    policy = org.profile_policy
    if url and policy and url not in [org.hook_urls.get(hook_id, "") for hook_id in policy.hook_ids]:
        yield finding("hook-missing", _("expected: %(url)s"), url=url)


def _event_hook(url: str, org: OrgSettings) -> Iterator[Finding]:
    if not url:
        return
    told = [event for hook in org.event_hooks if hook.url == url and hook.ready for event in hook.events]
    if missing := [event for event in (PROVES_EMAIL, *ENDS_ACCOUNT) if event not in told]:
        text = _("expected: %(url)s, verified and active, for %(event)s")
        yield finding("event-hook-missing", text, url=url, event=", ".join(missing))
