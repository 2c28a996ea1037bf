"""Mails, text messages and calls as they would arrive, newest first."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

# "app" is what Okta Verify on the phone would show: a code to scan or a link to tap.
Channel = Literal["email", "sms", "voice", "app"]


@dataclass(frozen=True)
class Message:
    """A message that was delivered. `template` is the name of its template; `at` is org time."""

    channel: Channel
    to: str
    template: str
    subject: str
    body: str = field(repr=False)
    at: float
    code: str | None = field(default=None, repr=False)
    link: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Template:
    """Subject and body of a message, with the names of values in braces."""

    name: str
    subject: str
    body: str


# Mails have the names of Okta's own templates (docs/protocol.md, section 4.10).
FACTOR_VERIFICATION_MAIL = Template(
    "Email Factor Verification",
    "Confirm your email address",
    "Hi {name},\n\nYou asked to confirm this address for {app}.\n\nYour code: {code}\n\n{follow}"
    "The code is valid for {minutes} minutes. If it was not you, ignore this mail.",
)
SIGN_IN_MAIL = Template(
    "Email Challenge",
    "One-time verification code",
    "Hi {name},\n\nSomebody, we hope you, is signing in to {app}.\n\nYour code: {code}\n\n{follow}"
    "The code is valid for {minutes} minutes. If it was not you, change your password.",
)
FORGOT_PASSWORD_MAIL = Template(
    "Forgot Password",
    "Reset your password",
    "Hi {name},\n\nSomebody, we hope you, wants to set a new password for {app}.\n\nYour code: {code}\n\n{follow}"
    "The code is valid for {minutes} minutes. If it was not you, ignore this mail.",
)
UNLOCK_ACCOUNT_MAIL = Template(
    "Self-Service Unlock",
    "Unlock your account",
    "Hi {name},\n\nSomebody, we hope you, wants to unlock your account.\n\nYour code: {code}\n\n{follow}"
    "The code is valid for {minutes} minutes. If it was not you, ignore this mail.",
)
PASSWORD_RESET_MAIL = Template(
    "Password Reset",
    "Set a new password",
    "Hi {name},\n\nYour password was reset by an administrator. Follow this link to set a new one.\n\n{link}\n",
)
ACTIVATION_MAIL = Template(
    "Registration - Activation",
    "Activate your account",
    "Hi {name},\n\nWelcome to {app}. One step is left: confirm that this address is yours.\n\n{link}\n\n"
    "After that you can sign in.",
)
VERIFICATION_MAIL = Template(
    "Registration - Email Verification",
    "Verify your email address",
    "Hi {name},\n\nYour account at {app} is ready. Please confirm that this address is yours.\n\n{link}\n",
)
INVITATION_MAIL = Template(
    "User Activation",
    "Welcome to {app}",
    "Hi {name},\n\nAn account was made for you. Follow this link to set it up.\n\n{link}\n",
)
CODE_TEXT_MESSAGE = Template("SMS Verification", "", "Your verification code is {code}.")
CODE_CALL = Template("Voice Call Verification", "", "Hello. Your verification code is {code}. Again: {code}.")
OKTA_VERIFY_MESSAGE = Template(
    "Okta Verify",
    "Set up Okta Verify",
    "Set up Okta Verify for {app} on this phone by following this link.\n\n{link}\n",
)


class Mailbox:
    """The newest 20,000 messages."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=20_000)

    def deliver(self, channel: Channel, to: str, template: Template, at: float, **values: str) -> Message:
        """Deliver a message to an address or number at this org time and return it.

        `values` fill the template; `code` and `link` among them also become the message's own.
        """
        link, code = values.get("link"), values.get("code")
        follow = f"Or follow this link:\n\n{link}\n\n" if link else ""
        text = {**values, "follow": follow}
        message = Message(
            channel, to, template.name, template.subject.format(**text), template.body.format(**text), at, code, link
        )
        self._messages.appendleft(message)
        return message

    def messages(self, to: str | None = None) -> list[Message]:
        """Return the messages to an address or number, all without one; newest first."""
        if to is None:
            return list(self._messages)
        return [message for message in self._messages if message.to.casefold() == to.casefold()]
