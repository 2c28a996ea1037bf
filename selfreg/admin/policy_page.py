"""The org's sign-up form as visitors would get it now, and how it changed. Looking creates no account."""

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
from selfreg.registration.policy_history import described, history, shown
from selfreg.texts import notice, say

LATELY = timedelta(days=1)


def page_context() -> dict[str, Any]:
    """The form, or why there is none; the versions, newest first."""
    problem, form = "", None
    try:
        response, _fresh = sign_up_form(connect(conf(), Visitor(language=get_language() or "en")))
        form = current_remediation(response)
    except SignUpUnavailable as closed:
        problem = " ".join(say(message) for message in closed.messages) or str(closed)
    except IdxError as error:
        problem = say(notice(error))
    return {
        "problem": problem,
        "fields": [described(field) for field in shown(form)] if form else [],
        "fingerprint": fingerprint(form) if form else "",
        "versions": history(conf().issuer),
        "issuer": conf().issuer,
    }


def changed_lately() -> PolicyVersion | None:
    """The newest version that replaced another one of its language within a day."""
    earlier = PolicyVersion.objects.filter(
        issuer=OuterRef("issuer"), language=OuterRef("language"), seen_at__lt=OuterRef("seen_at")
    )
    lately = PolicyVersion.objects.filter(issuer=conf().issuer, seen_at__gte=timezone.now() - LATELY)
    replaced = lately.annotate(before=Subquery(earlier.values("fingerprint")[:1])).filter(before__isnull=False)
    return replaced.exclude(before=F("fingerprint")).first()
