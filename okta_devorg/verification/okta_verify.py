"""Okta Verify and Duo: authenticators a web server cannot finish for a person (docs/protocol.md, section 4.6).

Okta Verify waits (`enroll-poll`) until the person's phone has followed a link: from the QR code, a mail or a text.
The org's phone page plays that phone. Duo never comes to an end here: its script belongs to another company.
"""

import segno
from flask import Request, Response, render_template

from okta_devorg.factors import catalogue
from okta_devorg.factors.phones import acceptable
from okta_devorg.factors.profile_form import is_email
from okta_devorg.state.mailbox import PAIRING, Channel
from okta_devorg.state.org import Org
from okta_devorg.state.transaction import Step, Transaction
from okta_devorg.state.users import new_enrollment
from okta_devorg.wire.ion import Json, action, fixed, form, handle_field, message
from okta_devorg.wire.pages import forbid_cross_site, page_headers, plain_page
from okta_devorg.wire.refusals import IdxRefusal, bad_request

KEY = catalogue.AUTHENTICATORS["okta_verify"]
SENT_BY: dict[str, tuple[Channel, str]] = {
    "qrcode": ("app", ""),
    "email": ("email", "email"),
    "sms": ("sms", "phoneNumber"),
}


def start(org: Org, tx: Transaction, chosen: Json) -> None:
    """By QR code unless another channel is chosen; mail and text need an address first."""
    channel = chosen.get("channel", "qrcode")
    if not isinstance(channel, str) or channel not in SENT_BY:
        raise bad_request()
    tx.channel = channel
    sender, field = SENT_BY[channel]
    to = address(org, channel, chosen.get(field)) if field else org.user_of(tx).login
    if to is None:
        tx.step = Step.CHANNEL
        if chosen.get(field):
            raise IdxRefusal(org.policy.statuses.bad_phone, [message("Invalid Phone Number.")])
        return
    tx.step = Step.PAIR
    tx.pairing = org.new_link("pairing", org.user_of(tx), tx.request, org.policy.lifetimes.with_user)
    org.send(sender, org.user_of(tx), PAIRING, org.app_of(tx), to=to, link=pairing_link(org, tx))


def address(org: Org, channel: str, given: object) -> str | None:
    if not isinstance(given, str):
        return None
    return acceptable(given, "sms") if channel == "sms" else (given if is_email(given) else None)


def pairing_link(org: Org, tx: Transaction) -> str:
    return f"{org.base}/okta-verify/{tx.pairing}"


def finish_pairing(org: Org, tx: Transaction) -> bool:
    """True once the phone has done its part; then the authenticator is enrolled."""
    if not tx.paired:
        return False
    tx.paired = False
    org.user_of(tx).enroll(new_enrollment("okta_verify", KEY.methods))
    return True


def pairing_page(org: Org, request: Request, token: str) -> Response:
    """What the phone shows. A link is looked at by scanners too, so only the button does anything."""
    tx = org.transactions.waiting_for_pairing(token)
    if tx is None:
        return plain_page("This link has expired", "Ask for a new one where you set up Okta Verify.", 410)
    if request.method == "POST":
        forbid_cross_site(request)
        tx.paired = True
        return plain_page("Okta Verify is set up", "Return to the page where you sign up. It goes on by itself.")
    app = org.app_of(tx).label
    return page_headers(Response(render_template("pairing.html", app=app, token=token, user=org.user_of(tx))))


def steps(org: Org, tx: Transaction) -> list[Json]:
    enroll = org.base + "/idp/idx/credential/enroll"
    poll = org.base + "/idp/idx/challenge/poll"
    handle, relates = handle_field(tx.state_handle), ["$.currentAuthenticator"]
    channel = [fixed("id", KEY.id, True), catalogue.channel_choice(True)]
    field = {"name": "authenticator", "type": "object", "label": "Okta Verify", "form": form(channel)}
    select = action("select-enrollment-channel", enroll, [field, handle], relatesTo=relates)
    if tx.step is Step.PAIR:
        return [action("enroll-poll", poll, [handle], relatesTo=relates, refresh=4000), select]
    asked = SENT_BY[str(tx.channel)][1]
    label = {"email": "Email", "phoneNumber": "Phone number"}[asked]
    values = [fixed("id", KEY.id, True), fixed("channel", str(tx.channel), True)]
    values.append({"name": asked, "label": label, "required": True})
    data = {"name": "authenticator", "type": "object", "label": "Okta Verify", "form": form(values)}
    return [action("enrollment-channel-data", enroll, [data, handle], relatesTo=relates), select]


def contextual_data(org: Org, tx: Transaction) -> Json:
    shown: Json = {"selectedChannel": tx.channel}
    if tx.channel == "qrcode" and tx.pairing:
        picture = segno.make(pairing_link(org, tx), micro=False).png_data_uri(scale=4)
        shown["qrcode"] = {"method": "embedded", "href": picture, "type": "image/png"}
    return shown


def duo_data(org: Org, tx: Transaction) -> Json:
    host = "api-local.duosecurity.invalid"
    return {"host": host, "signedToken": "TX|local", "script": f"https://{host}/frame/hosted/Duo-Web-v2.js"}


def refuse_duo(org: Org, tx: Transaction, credentials: Json) -> None:
    raise IdxRefusal(400, [message("We were unable to verify with Duo. Try again.", "oie.duo.verify.error")])
