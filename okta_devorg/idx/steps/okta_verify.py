"""Setting up Okta Verify (docs/protocol.md, section 4.6).

The step `enroll-poll` waits until the user's phone has followed a link: from a QR code, a mail or a text message. The
org's phone page plays that phone.
"""

from okta_devorg.factors.catalogue import AUTHENTICATORS, channel_choice
from okta_devorg.factors.phones import accepted_number
from okta_devorg.factors.profile_form import is_email
from okta_devorg.factors.qr_code import qr_code
from okta_devorg.state.mailbox import OKTA_VERIFY_MESSAGE, Channel
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.state.users import new_enrollment
from okta_devorg.wire.errors import IdxError, bad_request
from okta_devorg.wire.ion import Json, action, fixed_field, form, message, state_handle_field

OKTA_VERIFY = AUTHENTICATORS["okta_verify"]
# By the channel that the user chose: how the link is sent, and the field with the address or number to send it to.
CHANNELS: dict[str, tuple[Channel, str]] = {
    "qrcode": ("app", ""),
    "email": ("email", "email"),
    "sms": ("sms", "phoneNumber"),
}
ADDRESS_LABELS = {"email": "Email", "phoneNumber": "Phone number"}
# The one for a mail is made up: no recording shows it.
BAD_ADDRESSES = {"email": "Invalid Email Address.", "phoneNumber": "Invalid Phone Number."}


def start_pairing(org: Org, tx: Transaction, authenticator: Json) -> None:
    """Send the link by the channel in `authenticator`, by default a QR code; or ask for the address it needs.

    :raises IdxError: if the channel or the address is not acceptable.
    """
    pairing_channel = authenticator.get("channel", "qrcode")
    if not isinstance(pairing_channel, str) or pairing_channel not in CHANNELS:
        raise bad_request()
    tx.pairing_channel = pairing_channel
    channel, address_field = CHANNELS[pairing_channel]
    user = org.user_of(tx)
    to = _accepted_address(pairing_channel, authenticator.get(address_field)) if address_field else user.login
    if to is None:
        tx.step = Step.ENROLLMENT_CHANNEL_DATA
        if authenticator.get(address_field):
            raise IdxError(org.policy.statuses.bad_phone, [message(BAD_ADDRESSES[address_field])])
        return
    tx.step = Step.ENROLL_POLL
    tx.pairing_token = org.links.issue("pairing", user, org.policy.lifetimes.with_user, tx.request)
    org.send(channel, user, OKTA_VERIFY_MESSAGE, org.app_of(tx), to=to, link=_pairing_link(org, tx))


def finish_pairing(org: Org, tx: Transaction) -> bool:
    """Enroll the authenticator if the phone has done its part; return whether it has."""
    if not tx.paired:
        return False
    tx.paired = False
    org.user_of(tx).enroll(new_enrollment("okta_verify", OKTA_VERIFY.methods))
    return True


def pairing_remediations(org: Org, tx: Transaction) -> list[Json]:
    """Return the remediations of the step: poll, or ask for the address; then choose another channel."""
    enroll = org.base + "/idp/idx/credential/enroll"
    handle, relates_to = state_handle_field(tx.state_handle), ["$.currentAuthenticator"]

    def authenticator_field(fields: list[Json]) -> Json:
        id_field = fixed_field("id", OKTA_VERIFY.id, True)
        return {"name": "authenticator", "type": "object", "label": "Okta Verify", "form": form([id_field, *fields])}

    select_fields = [authenticator_field([channel_choice(True)]), handle]
    select = action("select-enrollment-channel", enroll, select_fields, relatesTo=relates_to)
    if tx.step is Step.ENROLL_POLL:
        poll = org.base + "/idp/idx/challenge/poll"
        return [action("enroll-poll", poll, [handle], relatesTo=relates_to, refresh=4000), select]
    _, address_field = CHANNELS[str(tx.pairing_channel)]
    address = {"name": address_field, "label": ADDRESS_LABELS[address_field], "required": True}
    data_fields = [authenticator_field([fixed_field("channel", str(tx.pairing_channel), True), address]), handle]
    return [action("enrollment-channel-data", enroll, data_fields, relatesTo=relates_to), select]


def contextual_data(org: Org, tx: Transaction) -> Json:
    """Return the chosen channel and, for a QR code, the code, for `contextualData`."""
    data: Json = {"selectedChannel": tx.pairing_channel}
    if tx.pairing_channel == "qrcode" and tx.pairing_token:
        data["qrcode"] = qr_code(_pairing_link(org, tx))
    return data


def _accepted_address(pairing_channel: str, address: object) -> str | None:
    """Return the number in E.164 form or the email address, None if it is not acceptable."""
    if not isinstance(address, str):
        return None
    if pairing_channel == "sms":
        return accepted_number(address, "sms")
    return address if is_email(address) else None


def _pairing_link(org: Org, tx: Transaction) -> str:
    return f"{org.base}/okta-verify/{tx.pairing_token}"
