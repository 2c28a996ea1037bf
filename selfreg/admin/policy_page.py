"""The org's sign-up form as visitors get it now, and its history. Reading it creates no account."""

from datetime import timedelta
from typing import Any

from django.db.models import F, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import get_language

from selfreg.conf import conf
from selfreg.idx.client import Visitor
from selfreg.idx.errors import IdxError
from selfreg.idx.steps import current_remediation
from selfreg.models import PolicyVersion
from selfreg.registration.policy import SignUpUnavailable, connect, fingerprint, sign_up_form
from selfreg.registration.policy_history import history, summary, visible_fields
from selfreg.texts.messages import notice, say

RECENT = timedelta(days=1)


def page_context() -> dict[str, Any]:
    """Returns the context of ``registration/policy.html``: the form or why there is none, and its versions.

    Opens a transaction at the org, unless the form is cached.
    """
    problem, form = "", None
    try:
        response, _fresh = sign_up_form(connect(conf(), Visitor(language=get_language() or "en")))
        form = current_remediation(response)
    except SignUpUnavailable as error:
        problem = " ".join(say(message) for message in error.messages) or str(error)
    except IdxError as error:
        problem = say(notice(error))
    return {
        "problem": problem,
        "fields": [summary(field) for field in visible_fields(form)] if form else [],
        "fingerprint": fingerprint(form) if form else "",
        "versions": history(conf().issuer),
        "issuer": conf().issuer,
    }


def changed_lately() -> PolicyVersion | None:
    """Returns the newest version that replaced another one of its language within a day, if there is one."""
    earlier = PolicyVersion.objects.filter(
        issuer=OuterRef("issuer"), language=OuterRef("language"), seen_at__lt=OuterRef("seen_at")
    )
    recent = PolicyVersion.objects.filter(issuer=conf().issuer, seen_at__gte=timezone.now() - RECENT)
    replaced = recent.annotate(before=Subquery(earlier.values("fingerprint")[:1])).filter(before__isnull=False)
    return replaced.exclude(before=F("fingerprint")).first()
