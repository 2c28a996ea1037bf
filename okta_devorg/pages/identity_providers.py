"""Signing up or in at another identity provider (docs/protocol.md, section 4.8). The org plays the provider as well."""

from flask import Request, Response, render_template

from okta_devorg.factors.profile_form import is_email
from okta_devorg.idx.completion import advance, finish
from okta_devorg.idx.endpoints import renew
from okta_devorg.policy.settings import IdentityProvider
from okta_devorg.state.org import Org
from okta_devorg.state.transaction import Step, Transaction
from okta_devorg.state.users import Status, User
from okta_devorg.wire.identifiers import new_id
from okta_devorg.wire.ion import Json
from okta_devorg.wire.pages import error_page, forbid_cross_site, origin_of, page_headers
from okta_devorg.wire.refusals import IdxRefusal
from okta_devorg.wire.replies import back_to_app

URN = "urn:okta:"


def find(org: Org, request_uri: str) -> tuple[Transaction, IdentityProvider] | None:
    token, _, idp_id = request_uri.removeprefix(URN).partition(":")
    tx = org.transactions.sent_to_idp(token)
    idp = next((item for item in org.policy.idps if item.id == idp_id), None)
    return (tx, idp) if tx and idp else None


def page(org: Org, request: Request) -> Response:
    """The provider's own sign-in page; its buttons play the person."""
    found = find(org, request.values.get("request_uri", ""))
    if found is None:
        return error_page("The 'request_uri' parameter is invalid or has expired.")
    return show(found, request.values["request_uri"])


def show(found: tuple[Transaction, IdentityProvider], request_uri: str, error: str = "", status: int = 200) -> Response:
    tx, idp = found
    text = render_template("identity_provider.html", idp=idp, request_uri=request_uri, error=error)
    return page_headers(Response(text, status), form_action=origin_of(tx.request.redirect_uri))


def sign_in(org: Org, request: Request) -> Response:
    forbid_cross_site(request)
    found = find(org, request.form.get("request_uri", ""))
    if found is None:
        return error_page("The 'request_uri' parameter is invalid or has expired.")
    tx, idp = found
    if request.form.get("action") == "cancel":
        return back(tx, error="access_denied", error_description="The person cancelled at the identity provider.")
    email = request.form.get("email", "").strip()
    if not is_email(email):
        return show(found, request.form["request_uri"], "An email address is needed.", 400)
    return come_back(org, tx, idp, profile_of(request, email))


def profile_of(request: Request, email: str) -> Json:
    names = {name: request.form.get(name, "").strip() for name in ("firstName", "lastName")}
    return {**{name: value for name, value in names.items() if value}, "email": email}


def come_back(org: Org, tx: Transaction, idp: IdentityProvider, profile: Json) -> Response:
    """With the interaction code when nothing is left to ask, else with `interaction_required`."""
    user = org.users.find(profile["email"])
    if user is None and not org.policy.sign_up:
        return back(tx, error="access_denied", error_description="User is not assigned to the client application.")
    new = user is None
    user = user or create(org, profile)
    tx.user_id = user.id
    try:
        if new and idp.interaction_required:
            advance(org, tx)
        else:
            user.status = Status.ACTIVE
            finish(org, tx)
    except IdxRefusal as refusal:
        return back(tx, error="access_denied", error_description=refusal.messages[0]["message"])
    renew(org, tx)
    if tx.step is Step.SUCCESS:
        return back(tx, interaction_code=str(tx.interaction_code))
    text = "Your client is configured to use the interaction code flow and user interaction is required to continue."
    return back(tx, error="interaction_required", error_description=text)


def create(org: Org, profile: Json) -> User:
    """The provider vouches for the address."""
    now = org.clock.now()
    user = User(new_id("00u"), profile["email"], profile, Status.STAGED, now, now, email_verified=True)
    org.users.add(user)
    org.record("user.lifecycle.create", user)
    if org.policy.target_group:
        org.groups.join(org.policy.target_group, user)
    return user


def back(tx: Transaction, **values: str) -> Response:
    return back_to_app(tx.request.redirect_uri, tx.request.state, **values)
