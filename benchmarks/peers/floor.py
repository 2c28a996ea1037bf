"""The least a sign-up through Okta can cost: the same six calls, written by hand, with neither templates nor forms.

Nothing is handled that could go wrong.
"""

import hashlib
import os
import secrets
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import requests
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.urls import path

from benchmarks.peers.base import *  # noqa: F403  (settings that extend others)

ROOT_URLCONF = "benchmarks.peers.floor"
ORG = f"http://127.0.0.1:{os.environ.get('ORG_PORT', '0')}"
ISSUER = f"{ORG}/oauth2/default"
CLIENT = {"client_id": "0oaLocalDemoApp0000", "client_secret": "local-demo-secret-not-for-production"}
PAGE = '<form method="post"><input name="csrfmiddlewaretoken" type="hidden" value="{}">{}<button>Go on</button></form>'
FORM = "".join(
    f'<input name="{name}" type="{kind}">'
    for name, kind in (
        ("userProfile.firstName", "text"),
        ("userProfile.lastName", "text"),
        ("userProfile.email", "email"),
        ("credentials.passcode", "password"),
    )
)
http = requests.Session()
http.trust_env = False
keys: dict[str, Any] = {}


def idx(href: str, **values: Any) -> Any:
    """One call of the protocol."""
    return http.post(href, json=values, allow_redirects=False, timeout=10).json()


def step(document: Any, name: str, **values: Any) -> Any:
    """Submits one remediation."""
    remediation = next(item for item in document["remediation"]["value"] if item["name"] == name)
    return idx(remediation["href"], stateHandle=document["stateHandle"], **values)


def page(request: HttpRequest, fields: str) -> HttpResponse:
    """A page with a form."""
    return HttpResponse(PAGE.format(get_token(request), fields))


def sign_up(request: HttpRequest) -> HttpResponseBase:
    """The form, and what is done when it is submitted: four calls."""
    if request.method == "GET":
        return page(request, FORM)
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    form = {**CLIENT, "scope": "openid profile email", "redirect_uri": "http://127.0.0.1:8000/oidc/callback/"}
    form |= {"code_challenge": challenge, "code_challenge_method": "S256", "state": "s", "nonce": nonce}
    handle = http.post(f"{ISSUER}/v1/interact", data=form, timeout=10).json()["interaction_handle"]
    document = step(idx(f"{ORG}/idp/idx/introspect", interactionHandle=handle), "select-enroll-profile")
    profile = {name: request.POST[f"userProfile.{name}"] for name in ("firstName", "lastName", "email")}
    password = {"passcode": request.POST["credentials.passcode"]}
    document = step(document, "enroll-profile", userProfile=profile, credentials=password)
    request.session["flow"] = {"document": document, "verifier": verifier, "nonce": nonce, **profile}
    return HttpResponseRedirect("/signup/step/")


def code(request: HttpRequest) -> HttpResponseBase:
    """The code's page, and the two calls that end the sign-up."""
    if request.method == "GET":
        return page(request, '<input name="credentials.passcode" inputmode="numeric">')
    flow = request.session["flow"]
    passcode = {"passcode": request.POST["credentials.passcode"]}
    document = step(flow["document"], "enroll-authenticator", credentials=passcode)
    grant = {item["name"]: item.get("value") for item in document["successWithInteractionCode"]["value"]}
    form = {**CLIENT, "grant_type": "interaction_code", "interaction_code": grant["interaction_code"]}
    tokens = http.post(f"{ISSUER}/v1/token", data={**form, "code_verifier": flow["verifier"]}, timeout=10).json()
    claims = verified(tokens["id_token"])
    user = get_user_model().objects.create(
        username=claims["sub"], email=flow["email"], first_name=flow["firstName"], last_name=flow["lastName"]
    )
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect("/")


def verified(token: str) -> dict[str, Any]:
    """The claims of an ID token."""
    kid = jwt.get_unverified_header(token)["kid"]
    if kid not in keys:
        found = http.get(f"{ISSUER}/v1/keys", timeout=10).json()
        keys.update({key["kid"]: jwt.PyJWK(key) for key in found["keys"]})
    return jwt.decode(token, keys[kid], ["RS256"], audience=CLIENT["client_id"], issuer=ISSUER)


def home(request: HttpRequest) -> HttpResponse:
    """Where a signed-in person lands."""
    return HttpResponse(f'Hello {request.user.username}<form method="post" action="/signout/"></form>')


urlpatterns = [path("signup/", sign_up), path("signup/step/", code), path("", home)]
