"""The bodies of requests and responses. The OpenAPI document is generated from them, these docstrings included."""

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from selfreg.statuses import Status

FieldType = Literal["text", "email", "tel", "url", "number", "password", "checkbox", "choice", "hidden"]
ActionName = Literal["submit", "skip", "resend", "back", "number", "channel", "cancel"]
Severity = Literal["error", "info"]
BUTTONS = "skip|resend|back|number|channel|poll"
PROVIDER = "idp:[A-Za-z0-9_-]+"
MAX_VALUE_LENGTH = 20_000
MAX_VALUES = 200
Text = Annotated[str, Field(max_length=MAX_VALUE_LENGTH)]
Typed = Annotated[
    dict[Annotated[str, Field(max_length=200)], Text | bool | int | float | None],
    Field(
        max_length=MAX_VALUES,
        repr=False,
        description="What the visitor entered, by field name.",
        examples=[{"userProfile.email": "ada@example.com"}],
    ),
]


class Body(Schema):
    """A request's body. Unknown members are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Beginning(Body):
    """The sign-up form, filled in; or the token of an invitation."""

    values: Typed = {}
    form_token: Text = Field(
        default="", repr=False, description="The value that came with the form. Not needed with a token."
    )
    form_version: Text = Field(default="", description="The value that came with the form. It detects changes.")
    action: Annotated[str, Field(pattern=rf"^({PROVIDER})?$", max_length=200)] = Field(
        default="", description="`idp:` and the id of an identity provider, to sign up through it instead."
    )
    activation_token: Text = Field(default="", repr=False, description="From the link in an invitation email.")


class Submission(Body):
    """A step, filled in; or another of its buttons."""

    step: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="`mark` of the step that was filled in; rejected if it isn't the current one."
    )
    action: Annotated[str, Field(pattern=rf"^({BUTTONS}|{PROVIDER})?$", max_length=200)] = Field(
        default="",
        description="'' submits the step; `poll` asks whether it changed; `idp:` and an id goes to that provider.",
    )
    values: Typed = {}


class MailLink(Body):
    """The query parameters of the link in the email, for apps that open the site's links."""

    otp: Text = Field(repr=False)
    state: Text = Field(repr=False)


class Token(Schema):
    """The token of one registration."""

    token: str = Field(repr=False, description="For the header `Authorization: Bearer ...`. Opens one registration.")


class Choice(Schema):
    """One option of a field."""

    value: str
    label: str
    hint: str = ""


class StepField(Schema):
    """One field of a step."""

    name: str
    type: FieldType
    label: str
    hint: str = ""
    required: bool
    secret: bool = Field(description="A password or code: never returned. Don't store it.")
    value: str | bool | None = Field(
        default=None, description="What the visitor entered before, or the org's suggestion."
    )
    min_length: int | None = None
    max_length: int | None = None
    autocomplete: str = Field(default="", description="A token of the HTML standard.")
    inputmode: str = ""
    choices: list[Choice] = []


class StepMessage(Schema):
    """A message to show."""

    key: str = Field(
        description="Okta's i18n key, one of ours (`selfreg....`), or `form.` and an error code; may be ''."
    )
    text: str = Field(description="In the visitor's language.")
    severity: Severity
    field: str = Field(default="", description="Name of the field; '' for the whole step.")


class Stage(Schema):
    """One part of the progress of the sign-up."""

    label: str
    state: Literal["done", "current", "todo"]


class Rule(Schema):
    """One rule for passwords."""

    rule: str
    number: int
    text: str


class StepAction(Schema):
    """A button of a step."""

    name: ActionName
    label: str


class Captcha(Schema):
    """The CAPTCHA of a form: HCAPTCHA, RECAPTCHA_V2, or ALTCHA, whose task is at `captcha/`."""

    kind: str
    site_key: str


class CaptchaTask(Schema):
    """The task of an ALTCHA: find the number that, appended to the salt, hashes to the challenge."""

    algorithm: str
    challenge: str
    salt: str
    signature: str = Field(repr=False)
    maxnumber: int = Field(default=1_000_000, description="The number is from 0 to this.")


class AuthenticatorApp(Schema):
    """What an authenticator app needs to be set up."""

    secret: str = Field(repr=False)
    uri: str = Field(repr=False, description="`otpauth://...`, for a link or a QR code.")
    image: str = Field(
        repr=False,
        description="The organization's QR code (a `data:` URI) if it doesn't send the secret.",
    )


class Fact(Schema):
    """Something that a consent is about."""

    name: str
    value: str


class IdentityProvider(Schema):
    """An identity provider that a browser can sign up through."""

    id: str
    name: str


class Step(Schema):
    """One page of the sign-up."""

    mark: str = Field(description="Send it back as `step`.")
    page: str = Field(description="Kind of page: profile, choose, phone, password, code, question, totp, passkey ...")
    heading: str
    authenticator: str = Field(default="", description="Okta's key: `okta_email`, `phone_number` ...")
    fields: list[StepField]
    messages: list[StepMessage]
    actions: list[StepAction]
    progress: list[Stage]
    password_rules: list[Rule] = []
    facts: list[Fact] = Field(default=[], description="What a consent is about.")
    wait: int = Field(default=0, description="Seconds until the step can be submitted.")
    resend_wait: int = Field(default=0, description="Seconds until another code can be requested.")
    poll: int = Field(default=0, description="Milliseconds until the next `poll`; 0: there is nothing to wait for.")
    identity_providers: list[IdentityProvider] = Field(default=[], description="For browsers only.")
    captcha: Captcha | None = None
    authenticator_app: AuthenticatorApp | None = None
    passkey: dict[str, Any] | None = Field(
        None,
        repr=False,
        description="`PublicKeyCredentialCreationOptions` as JSON, for the browser or the system; without `user`, "
        "`PublicKeyCredentialRequestOptions`.",
    )


class FirstForm(Schema):
    """The sign-up form. No registration was started yet."""

    step: Step
    form_version: str
    form_token: str = Field(
        repr=False, default="", description="For browsers: send it back with the form. It starts one registration."
    )
    csrf_token: str = Field(default="", repr=False, description="For browsers: the header `X-CSRFToken` of every POST.")


class RegistrationState(Schema):
    """The state of a registration."""

    registration: str = Field(description="The id: a reference for support. It doesn't give access.")
    status: Status
    step: Step | None = Field(default=None, description="The current step, or null.")
    heading: str = ""
    text: str = ""
    signed_in: bool = Field(default=False, description="Whether this answer has a session cookie of the site.")
    go: str = Field(default="", description="The URL to open next.")
    csrf_token: str = Field(default="", repr=False, description="For browsers: the header `X-CSRFToken` of every POST.")


class Problem(Schema):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(default="", description="In the visitor's language; '' if there is nothing for visitors.")
    messages: list[StepMessage] = []
    step: Step | None = Field(default=None, description="The step to show again.")
    standing: str = Field(default="", description="For a link: other, used, expired, stale, foreign, broken.")
    retry_after: int | None = Field(default=None, description="Seconds to wait.")
    go: str = ""
