"""Can this site show the org's form, can people fill it in, and is this site told what it needs to know?"""

from collections.abc import Iterator

from django.utils.translation import gettext_noop as _

from selfreg.accounts.identities import PROVES_EMAIL
from selfreg.doctor.evidence import Evidence, OrgSettings, ProfileField
from selfreg.doctor.findings import Found, found
from selfreg.idx.document import Captcha, Field, Remediation
from selfreg.views.base import CAPTCHAS

SHOWN_TYPES = frozenset({"string", "boolean", "integer", "number", "decimal"})
CAPTCHA_HINT = "captcha"
PROFILE = "userProfile."
LOGIN, WRITABLE = "login", "READ_WRITE"


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about the first page of the sign-up."""
    form, site = evidence.form, evidence.site
    settings = evidence.settings if isinstance(evidence.settings, OrgSettings) else None
    profile = settings.profile if settings else {}
    if form is not None and evidence.response is not None:
        yield from _unsupported(form)
        yield from _captcha(form, evidence.response.captcha)
        yield from _missing(site.attributes, asked_for(form), profile)
    if settings:
        yield from _profile(_on_the_form(form, settings), profile, bool(site.hook_url))
        yield from _hook(site.hook_url, settings)
        yield from _event_hook(site.event_hook_url, settings)


def asked_for(form: Remediation) -> tuple[str, ...]:
    """Attributes of the profile that a form asks for, in its order."""
    return tuple(f.path.removeprefix(PROFILE) for f in form.leaves if f.path.startswith(PROFILE))


def _on_the_form(form: Remediation | None, settings: OrgSettings) -> tuple[str, ...]:
    """The policy's word where no form opens."""
    policy = settings.profile_policy
    return asked_for(form) if form else policy.attributes if policy else ()


def _profile(asked: tuple[str, ...], profile: dict[str, ProfileField], hooked: bool) -> Iterator[Found]:
    """Okta lets people who sign up write their login all the same."""
    known = {name: profile[name] for name in asked if name in profile and name != LOGIN}
    if fixed := [f"{name}: {item.permission}" for name, item in known.items() if item.permission != WRITABLE]:
        yield found("field-read-only", fields=", ".join(fixed))
    if elsewhere := [name for name, item in known.items() if not item.from_okta]:
        yield found("field-source", fields=", ".join(elsewhere))
    if hooked and (kept_back := [name for name, item in known.items() if item.sensitive]):
        yield found("field-sensitive", fields=", ".join(kept_back))


def _unsupported(form: Remediation) -> Iterator[Found]:
    if strange := [f.path for f in form.leaves if _cannot_show(f)]:
        yield found("field-unsupported", fields=", ".join(strange))


def _cannot_show(leaf: Field) -> bool:
    hidden = leaf.required and leaf.mutable and not leaf.visible and leaf.value is None
    return leaf.hint != CAPTCHA_HINT and (hidden or (leaf.visible and leaf.type not in SHOWN_TYPES))


def _captcha(form: Remediation, captcha: Captcha | None) -> Iterator[Found]:
    if not any(f.hint == CAPTCHA_HINT for f in form.leaves):
        return
    if captcha is None or captcha.kind not in CAPTCHAS or not captcha.site_key:
        text = _("provider %(provider)s: no site key, or one that this site does not know")
        yield found("captcha", text, provider=captcha.kind if captcha else "-")


def _missing(wanted: tuple[str, ...], asked: tuple[str, ...], profile: dict[str, ProfileField]) -> Iterator[Found]:
    missing = [name for name in wanted if name not in asked]
    unknown = [name for name in missing if profile and name not in profile]
    if unknown:
        yield found("field-unknown", fields=", ".join(unknown))
    if rest := [name for name in missing if name not in unknown]:
        yield found("field-missing", fields=", ".join(rest))


def _hook(url: str, settings: OrgSettings) -> Iterator[Found]:
    policy = settings.profile_policy
    if url and policy and url not in [settings.hook_urls.get(hook, "") for hook in policy.hook_ids]:
        yield found("hook-missing", _("expected: %(url)s"), url=url)


def _event_hook(url: str, settings: OrgSettings) -> Iterator[Found]:
    if not url:
        return
    if not any(hook.url == url and hook.ready and PROVES_EMAIL in hook.events for hook in settings.event_hooks):
        text = _("expected: %(url)s, verified and active, for %(event)s")
        yield found("event-hook-missing", text, url=url, event=PROVES_EMAIL)
