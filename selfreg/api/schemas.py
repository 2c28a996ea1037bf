"""What comes in and what goes out. The OpenAPI document is made of these."""

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from selfreg.statuses import Status

FieldType = Literal["text", "email", "tel", "url", "number", "password", "checkbox", "choice", "hidden"]
ActionName = Literal["submit", "skip", "resend", "back", "cancel"]
Severity = Literal["error", "info"]
PROVIDER = "idp:[A-Za-z0-9_-]+"
MOST_TYPED = 20_000
MOST_FIELDS = 200
Text = Annotated[str, Field(max_length=MOST_TYPED)]
Typed = Annotated[
    dict[Annotated[str, Field(max_length=200)], Text | bool | int | float | None],
    Field(
        max_length=MOST_FIELDS,
        repr=False,
        description="What was typed, by the fields' names.",
        examples=[{"userProfile.email": "ada@example.com"}],
    ),
]


class Body(Schema):
    """Takes no member that it does not know."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Beginning(Body):
    """The first form, filled in; or the token of an invitation."""

    values: Typed = {}
    form_token: Text = Field(default="", description="As it came with the form. Not needed with a token.")
    form_version: Text = Field(default="", description="As it came with the form: a change of it is noticed.")
    action: Annotated[str, Field(pattern=rf"^({PROVIDER})?$", max_length=200)] = Field(
        default="", description="`idp:` and the id of an identity provider, to sign up through it instead."
    )
    activation_token: Text = Field(default="", repr=False, description="Of an invitation mail.")


class Submission(Body):
    """A step, filled in, or one of its other buttons."""

    step: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="`mark` of the step that was filled in: one that is not the present one is refused."
    )
    action: Annotated[str, Field(pattern=rf"^(skip|resend|back|poll|{PROVIDER})?$", max_length=200)] = Field(
        default="", description="'' submits the step; `poll` asks for news; `idp:` and an id goes to that provider."
    )
    values: Typed = {}


class MailLink(Body):
    """What the link in the mail carries: an app that opens the site's links takes it from the address."""

    otp: Text = Field(repr=False)
    state: Text = Field(repr=False)


class Token(Schema):
    token: str = Field(repr=False, description="For the header `Authorization: Bearer ...`. Opens one registration.")


class Choice(Schema):
    value: str
    label: str
    hint: str = ""


class StepField(Schema):
    name: str
    type: FieldType
    label: str
    hint: str = ""
    required: bool
    secret: bool = Field(description="Never comes back, and never belongs into storage.")
    value: str | bool | None = Field(default=None, description="What was typed before, or what the org suggests.")
    min_length: int | None = None
    max_length: int | None = None
    autocomplete: str = Field(default="", description="Token of the HTML standard.")
    inputmode: str = ""
    choices: list[Choice] = []


class Said(Schema):
    """Something to show."""

    key: str = Field(
        description="Okta's i18n key, one of ours (`selfreg....`), or `form.` and what is wrong; may be ''."
    )
    text: str = Field(description="In the visitor's language.")
    severity: Severity
    field: str = Field(default="", description="Name of the field it belongs to; '' for the step.")


class Stage(Schema):
    label: str
    state: Literal["done", "current", "todo"]


class Rule(Schema):
    rule: str
    number: int
    text: str


class StepAction(Schema):
    name: ActionName
    label: str


class Captcha(Schema):
    kind: str
    site_key: str


class AuthenticatorApp(Schema):
    secret: str = Field(repr=False)
    uri: str = Field(repr=False, description="`otpauth://...`, for a link or a QR code.")
    image: str = Field(
        repr=False,
        description="The organization's QR code (a `data:` URI) where it keeps the key to itself; else empty.",
    )


class Fact(Schema):
    name: str
    value: str


class IdentityProvider(Schema):
    id: str
    name: str


class Step(Schema):
    """One page of the sign-up."""

    mark: str = Field(description="Sent back with what was typed.")
    page: str = Field(description="Kind of page: profile, choose, phone, password, code, question, totp, passkey ...")
    heading: str
    authenticator: str = Field(default="", description="Okta's key: `okta_email`, `phone_number` ...")
    fields: list[StepField]
    messages: list[Said]
    actions: list[StepAction]
    progress: list[Stage]
    password_rules: list[Rule] = []
    facts: list[Fact] = Field(default=[], description="What a consent is about.")
    wait: int = Field(default=0, description="Seconds until anything may be sent.")
    resend_wait: int = Field(default=0, description="Seconds until the next code may be asked for.")
    poll: int = Field(default=0, description="Milliseconds until `poll` may be asked; 0: nothing to wait for.")
    identity_providers: list[IdentityProvider] = Field(default=[], description="For browsers only.")
    captcha: Captcha | None = None
    authenticator_app: AuthenticatorApp | None = None
    passkey: dict[str, Any] | None = Field(
        None, repr=False, description="`PublicKeyCredentialCreationOptions` as JSON, for the browser or the system."
    )


class FirstForm(Schema):
    """What the first step asks for. Nothing has begun."""

    step: Step
    form_version: str
    form_token: str = Field(default="", description="For a browser: sent back with the form, begins one registration.")
    csrf_token: str = Field(default="", description="For a browser: the header `X-CSRFToken` of every POST.")


class RegistrationState(Schema):
    """Where a registration stands."""

    registration: str = Field(description="Its id: a reference for people who help. Opens nothing.")
    status: Status
    step: Step | None = Field(default=None, description="What to ask for now; null when there is nothing.")
    heading: str = ""
    text: str = ""
    signed_in: bool = Field(default=False, description="This answer came with a session cookie of the site.")
    go: str = Field(default="", description="Where a browser goes from here.")
    csrf_token: str = Field(default="", description="For a browser: the header `X-CSRFToken` of every POST.")


class Problem(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = Field(default="", description="In the visitor's language; '' when it is nothing for visitors.")
    messages: list[Said] = []
    step: Step | None = Field(default=None, description="The step to show again.")
    standing: str = Field(default="", description="Of a link: other, used, expired, stale, foreign, broken.")
    retry_after: int | None = Field(default=None, description="Seconds.")
    go: str = ""
