"""The org's sign-up form as visitors see it now, and its history. Reading it creates no account."""

from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import get_language

from selfreg.admin.labels import language_label, when
from selfreg.conf import Conf, has_several_orgs, orgs
from selfreg.idx.client import Visitor
from selfreg.idx.errors import IdxError
from selfreg.idx.steps import current_remediation
from selfreg.models import PolicyVersion
from selfreg.registration.policy import SignUpUnavailable, connect, fingerprint, sign_up_form
from selfreg.registration.policy_history import history, summary, visible_fields
from selfreg.texts.messages import notice, say

RECENT = timedelta(days=1)


def page_context(settings: Conf) -> dict[str, Any]:
    """Return the context of ``registration/policy.html``: the org's form or why there is none, and its versions.

    Unless the form is cached, this opens a transaction at the org.
    """
    problem, form = "", None
    try:
        response = sign_up_form(connect(settings, Visitor(language=get_language() or "en")))
        form = current_remediation(response)
    except SignUpUnavailable as error:
        problem = " ".join(say(message) for message in error.messages) or str(error)
    except IdxError as error:
        problem = say(notice(error))
    return {
        "problem": problem,
        "fields": [summary(field) for field in visible_fields(form)] if form else [],
        "fingerprint": fingerprint(form) if form else "",
        "versions": [(v, when(v.row.seen_at), language_label(v.row.language)) for v in history(settings)],
        "issuer": settings.issuer,
        "org": settings.org,
        "orgs": [name for name in orgs() if has_several_orgs()],
    }


def changed_lately() -> PolicyVersion | None:
    """Return the newest version, if it replaced another one of the same language within the last day."""
    earlier = PolicyVersion.objects.filter(
        issuer=OuterRef("issuer"), org=OuterRef("org"), language=OuterRef("language"), seen_at__lt=OuterRef("seen_at")
    )
    present = reduce(or_, (Q(issuer=settings.issuer, org=name) for name, settings in orgs().items()))
    recent = PolicyVersion.objects.filter(present, seen_at__gte=timezone.now() - RECENT)
    replaced = recent.annotate(before=Subquery(earlier.values("fingerprint")[:1])).filter(before__isnull=False)
    return replaced.exclude(before=F("fingerprint")).first()
