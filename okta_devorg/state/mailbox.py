"""Mails, texts and calls as they would arrive, kept newest first."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

# "app": what Okta Verify on the phone is shown, a code to scan or a link to tap.
Channel = Literal["email", "sms", "voice", "app"]


@dataclass(frozen=True)
class Message:
    channel: Channel
    to: str
    template: str
    subject: str
    body: str
    at: float
    code: str | None = field(default=None, repr=False)
    link: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Template:
    name: str
    subject: str
    body: str


# Names of mails: Okta's own template names (docs/protocol.md, section 4.10).
FACTOR = Template(
    "Email Factor Verification",
    "Confirm your email address",
    "Hi {name},\n\nYou asked to confirm this address for {app}.\n\nYour code: {code}\n\n{follow}"
    "The code is valid for {minutes} minutes. If it was not you, ignore this mail.",
)
CHALLENGE = Template(
    "Email Challenge",
    "One-time verification code",
    "Hi {name},\n\nSomebody, we hope you, is signing in to {app}.\n\nYour code: {code}\n\n{follow}"
    "The code is valid for {minutes} minutes. If it was not you, change your password.",
)
FORGOTTEN = Template(
    "Forgot Password",
    "Reset your password",
    "Hi {name},\n\nSomebody, we hope you, wants to set a new password for {app}.\n\nYour code: {code}\n\n{follow}"
    "The code is valid for {minutes} minutes. If it was not you, ignore this mail.",
)
LOCKED = Template(
    "Self-Service Unlock",
    "Unlock your account",
    "Hi {name},\n\nSomebody, we hope you, wants to unlock your account.\n\nYour code: {code}\n\n{follow}"
    "The code is valid for {minutes} minutes. If it was not you, ignore this mail.",
)
RESET = Template(
    "Password Reset",
    "Set a new password",
    "Hi {name},\n\nYour password was reset by an administrator. Follow this link to set a new one.\n\n{link}\n",
)
ACTIVATION = Template(
    "Registration - Activation",
    "Activate your account",
    "Hi {name},\n\nWelcome to {app}. One step is left: confirm that this address is yours.\n\n{link}\n\n"
    "After that you can sign in.",
)
VERIFICATION = Template(
    "Registration - Email Verification",
    "Verify your email address",
    "Hi {name},\n\nYour account at {app} is ready. Please confirm that this address is yours.\n\n{link}\n",
)
INVITATION = Template(
    "User Activation",
    "Welcome to {app}",
    "Hi {name},\n\nAn account was made for you. Follow this link to set it up.\n\n{link}\n",
)
SMS = Template("SMS Verification", "", "Your verification code is {code}.")
PAIRING = Template(
    "Okta Verify",
    "Set up Okta Verify",
    "Set up Okta Verify for {app} on this phone by following this link.\n\n{link}\n",
)
VOICE = Template("Voice Call Verification", "", "Hello. Your verification code is {code}. Again: {code}.")


class Mailbox:
    def __init__(self) -> None:
        self.messages: deque[Message] = deque(maxlen=20_000)

    def deliver(self, channel: Channel, to: str, template: Template, at: float, **values: str) -> Message:
        link, code = values.get("link"), values.get("code")
        follow = f"Or follow this link:\n\n{link}\n\n" if link else ""
        text = {**values, "follow": follow}
        message = Message(
            channel, to, template.name, template.subject.format(**text), template.body.format(**text), at, code, link
        )
        self.messages.appendleft(message)
        return message

    def to(self, address: str | None = None) -> list[Message]:
        """Newest first; all of them without an address."""
        if address is None:
            return list(self.messages)
        return [message for message in self.messages if message.to.casefold() == address.casefold()]
