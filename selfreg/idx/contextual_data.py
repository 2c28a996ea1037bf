"""Reads the ``contextualData`` of an authenticator, for ``parser``."""

from collections.abc import Mapping
from typing import Any

from selfreg.idx.document import DeviceSetUp, Json
from selfreg.idx.ion import read_mapping, read_text

MAX_NAME = 200


def context_members(context: Json, enrolled: list[Json]) -> dict[str, Any]:
    """Return the members of an ``Authenticator`` that come from its ``contextualData``.

    :param enrolled: the authenticators that the person has
    """
    challenge = read_mapping(context.get("challengeData"))
    known = [{"type": "public-key", "id": key_id} for a in enrolled if (key_id := read_text(a, "credentialId"))]
    activation = context.get("activationData") or (challenge and {"allowCredentials": known, **challenge})
    return {
        "shared_secret": read_text(context, "sharedSecret"),
        "qr_image": read_text(read_mapping(context.get("qrcode")), "href", limit=100_000),
        "activation": activation if isinstance(activation, Mapping) else None,
        "magic_link": context.get("useEmailMagicLink") is not False,
        "shown_code": read_text(context, "otp") or read_text(context, "correctAnswer"),
        "device": _device_set_up(context),
    }


def _device_set_up(context: Json) -> DeviceSetUp | None:
    channel = read_text(context, "selectedChannel")
    same, other = read_mapping(context.get("samedevice")), read_mapping(context.get("devicebootstrap"))
    if not (channel or same or other):
        return None
    devices = other.get("enrolledDevices")
    first = devices[0] if isinstance(devices, list) and devices else devices
    return DeviceSetUp(
        channel=channel or ("devicebootstrap" if other else "samedevice"),
        sent_to=read_text(context, "email" if channel == "email" else "phoneNumber"),
        org_url=read_text(same, "orgUrl"),
        other_device=first[:MAX_NAME] if isinstance(first, str) else "",
    )
