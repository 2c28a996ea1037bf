"""What the types of the settings alone cannot say about them."""

from collections.abc import Callable, Iterator

from okta_devorg.policy.settings import Policy
from okta_devorg.wire.public_keys import pem_to_jwk
from okta_devorg.wire.urls import is_absolute, is_http_url

# Settings of an app that must not be blank, and those that are addresses.
APP_NAMES = ("client_id", "label")
URI_LISTS = ("redirect_uris", "post_logout_redirect_uris")
SINGLE_URIS = ("email_callback_uri", "initiate_login_uri", "sign_up_uri")


def problem_of(policy: Policy) -> str | None:
    """Return the first thing in the settings that makes no sense, None if there is nothing."""
    return next((problem for check in CHECKS for problem in check(policy)), None)


def _repeated_names(policy: Policy) -> Iterator[str]:
    for path, names in (
        ("profile", [attribute.name for attribute in policy.profile]),
        ("apps", [app.client_id for app in policy.apps]),
    ):
        if len(names) != len(set(names)):
            yield f"{path}: a name occurs twice"


def _blank_names(policy: Policy) -> Iterator[str]:
    named = [(f"apps[{index}].{key}", getattr(app, key)) for index, app in enumerate(policy.apps) for key in APP_NAMES]
    named += [(f"profile[{index}].name", attribute.name) for index, attribute in enumerate(policy.profile)]
    yield from (f"{path} must not be blank" for path, name in named if not name.strip())


def _missing_identifier(policy: Policy) -> Iterator[str]:
    identifying = {"email", "login", *policy.allowed_identifiers}
    if not any(attribute.name in identifying and attribute.required for attribute in policy.profile):
        yield "profile: a required attribute named email or login, or an allowed identifier, is needed"


def _hook_urls(policy: Policy) -> Iterator[str]:
    hook = policy.hooks.registration
    urls = [("hooks.registration", hook.url)] if hook else []
    urls += [(f"hooks.events[{index}]", item.url) for index, item in enumerate(policy.hooks.events)]
    for path, url in urls:
        if not is_http_url(url):
            yield f"{path}.url must begin with http:// or https:// and name a host"


def _app_uris(policy: Policy) -> Iterator[str]:
    for index, app in enumerate(policy.apps):
        uris = {f"{key}[{number}]": uri for key in URI_LISTS for number, uri in enumerate(getattr(app, key))}
        uris |= {key: getattr(app, key) for key in SINGLE_URIS}
        for key, uri in uris.items():
            if uri is not None and not is_absolute(uri):
                yield f"apps[{index}].{key} must be an absolute URI"


def _numbers(policy: Policy) -> Iterator[str]:
    if not 4 <= policy.email_code.length <= 20:
        yield "email_code.length must be from 4 to 20"
    for status, value in vars(policy.statuses).items():
        if not 400 <= value <= 599:
            yield f"statuses.{status} must be from 400 to 599"


def _choices(policy: Policy) -> Iterator[str]:
    for index, attribute in enumerate(policy.profile):
        has_choices = bool(attribute.options or attribute.format) or attribute.type == "boolean"
        if attribute.display in ("select", "radio") and not has_choices:
            yield f"profile[{index}].options: a {attribute.display} needs choices"


def _public_keys(policy: Policy) -> Iterator[str]:
    for index, app in enumerate(policy.apps):
        for number, pem in enumerate(app.public_keys):
            try:
                pem_to_jwk(pem)
            except ValueError:
                yield f"apps[{index}].public_keys[{number}] must be a public key in PEM, for RSA or an elliptic curve"


CHECKS: tuple[Callable[[Policy], Iterator[str]], ...] = (
    _repeated_names,
    _blank_names,
    _missing_identifier,
    _hook_urls,
    _app_uris,
    _numbers,
    _choices,
    _public_keys,
)
