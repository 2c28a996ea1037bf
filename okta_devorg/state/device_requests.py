"""Devices without a browser that wait until somebody signs in elsewhere (RFC 8628)."""

from dataclasses import dataclass, field

from okta_devorg.state.clock import Clock
from okta_devorg.state.grants import Grant
from okta_devorg.state.transactions import AuthorizationRequest
from okta_devorg.wire.identifiers import new_code, new_token

LIFETIME, INTERVAL = 600, 5
# No vowels: codes spell no words.
USER_CODE = (8, "BCDFGHJKLMNPQRSTVWXZ")


@dataclass
class DeviceRequest:
    """A device that asked to be signed in. Times are org time; `grant` comes once somebody typed the `user_code`."""

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    request: AuthorizationRequest
    expires_at: float
    asked_at: float = 0.0
    grant: Grant | None = None
    denied: bool = False


class DeviceRequests:
    """All devices that wait, or waited too long."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_device_code: dict[str, DeviceRequest] = {}

    def start(self, client_id: str, issuer: str, redirect_uri: str, scopes: tuple[str, ...]) -> DeviceRequest:
        """Return a new request; whoever types its code signs in, and comes to `redirect_uri` with it as `state`."""
        user_code = new_code(*USER_CODE)
        request = AuthorizationRequest(client_id, issuer, redirect_uri, scopes, user_code)
        device = DeviceRequest(new_token(), user_code, request, self._clock.now() + LIFETIME)
        self._by_device_code[device.device_code] = device
        return device

    def find(self, device_code: str) -> DeviceRequest | None:
        """Return the request of a device, expired or not; None if there is none."""
        return self._by_device_code.get(device_code)

    def find_open(self, user_code: str) -> DeviceRequest | None:
        """Return the request that waits for this code, None if there is none. Case and dashes do not matter."""
        typed = "".join(letter for letter in user_code.upper() if letter.isalnum())
        waiting = (item for item in self._by_device_code.values() if self.is_open(item))
        return next((item for item in waiting if item.user_code == typed), None)

    def is_open(self, device: DeviceRequest) -> bool:
        """Return whether the code of a request can still be typed."""
        return device.expires_at > self._clock.now() and device.grant is None and not device.denied

    def remove(self, device: DeviceRequest) -> None:
        """Forget a request whose device has its tokens."""
        self._by_device_code.pop(device.device_code, None)
