"""Can this site show the org's form, does the form ask for what the site wants, and is anything asked in vain?"""

from collections.abc import Iterator

from selfreg.doctor.evidence import Evidence, OrgSettings
from selfreg.doctor.findings import Found, found
from selfreg.idx.response import Captcha, Field, Remediation
from selfreg.views.pages import CAPTCHAS

SHOWN_TYPES = frozenset({"string", "boolean", "integer", "number", "decimal"})
CAPTCHA_HINT = "captcha"
PROFILE = "userProfile."


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about the first page of the sign-up."""
    form, settings = evidence.form, evidence.settings
    if form is not None and evidence.response is not None:
        yield from _unsupported(form)
        yield from _captcha(form, evidence.response.captcha)
        yield from _missing(evidence.site.attributes, asked_for(form))
    if isinstance(settings, OrgSettings):
        yield from _hook(evidence.site.hook_url, settings)


def asked_for(form: Remediation) -> tuple[str, ...]:
    """Attributes of the profile that a form asks for, in its order."""
    return tuple(f.path.removeprefix(PROFILE) for f in form.leaves if f.path.startswith(PROFILE))


def _unsupported(form: Remediation) -> Iterator[Found]:
    if strange := [f.path for f in form.leaves if _cannot_show(f)]:
        yield found("field-unsupported", ", ".join(strange))


def _cannot_show(leaf: Field) -> bool:
    hidden = leaf.required and leaf.mutable and not leaf.visible and leaf.value is None
    return leaf.hint != CAPTCHA_HINT and (hidden or (leaf.visible and leaf.type not in SHOWN_TYPES))


def _captcha(form: Remediation, captcha: Captcha | None) -> Iterator[Found]:
    if not any(f.hint == CAPTCHA_HINT for f in form.leaves):
        return
    if captcha is None or captcha.kind not in CAPTCHAS or not captcha.site_key:
        yield found("captcha", f"{captcha.kind if captcha else 'no provider'}, site key missing or provider unknown")


def _missing(wanted: tuple[str, ...], asked: tuple[str, ...]) -> Iterator[Found]:
    if missing := [name for name in wanted if name not in asked]:
        yield found("field-missing", ", ".join(missing))


def _hook(url: str, settings: OrgSettings) -> Iterator[Found]:
    policy = settings.profile_policy
    if url and policy and url not in [settings.hook_urls.get(hook, "") for hook in policy.hook_ids]:
        yield found("hook-missing", f"expected: {url}")
