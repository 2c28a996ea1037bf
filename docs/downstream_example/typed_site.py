"""A site's own code that uses the public names. `mypy --strict` accepts it."""

import logging
from typing import Any

from django.http import HttpRequest, HttpResponse

from okta_devorg import OrgHandle, running_org
from selfreg.auth import OktaBackend, org_sign_out_url
from selfreg.decorators import email_verified_required
from selfreg.idx.client import Answer, App, IdxClient
from selfreg.idx.credentials import Credentials
from selfreg.idx.errors import IdxError
from selfreg.idx.transport import Transport
from selfreg.models import OktaIdentity, Registration
from selfreg.profile_hook import ProfileRefused
from selfreg.signals import email_verified, registration_completed

logger = logging.getLogger(__name__)


class StaffBackend(OktaBackend):
    """Gives every new user a department."""

    def create_user(self, claims: dict[str, Any]) -> Any:
        user = super().create_user(claims)
        user.department = "sales"
        user.save()
        return user


def welcome(sender: type, registration: Registration, user: Any, **kwargs: Any) -> None:
    logger.info("%s has signed up: %s", registration.email, user)


def thank(sender: type, identity: OktaIdentity, **kwargs: Any) -> None:
    logger.info("%s has verified the address at %s", identity.subject, identity.email_verified_at)


registration_completed.connect(welcome, dispatch_uid="typed_site.welcome")
email_verified.connect(thank, dispatch_uid="typed_site.thank")


def only_our_partners(profile: dict[str, Any]) -> dict[str, Any]:
    if not profile.get("email", "").endswith("@partner.example"):
        raise ProfileRefused({"email": "Please use your partner address."})
    return profile


@email_verified_required
def invoices(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f'<a href="{org_sign_out_url(request)}">Sign out</a>')


def first_step(issuer: str) -> str:
    app = App(issuer=issuer, credentials=Credentials("0oa1", "none"), redirect_uri="https://www.example.com/cb/")
    client = IdxClient(app, Transport(app.origin))
    try:
        answer: Answer = client.introspect(client.interact())
    except IdxError as error:
        return f"the org did not answer: {error.request_id}"
    return ", ".join(remediation.name for remediation in answer.response.remediations)


def org_of_a_test() -> OrgHandle:
    with running_org() as org:
        return org
