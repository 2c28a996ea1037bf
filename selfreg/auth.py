"""The authentication backend: logs users in by an interaction code (sign-up) or an authorization code (sign-in).

It extends mozilla-django-oidc's backend: ID tokens are verified by ``idx.id_token``, users are looked up by issuer and
subject only, and every call goes through ``idx.transport`` with its deadlines. The endpoints follow from
``SELFREG["ISSUER"]``.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import import_from_settings

from selfreg import cache
from selfreg.accounts.identities import forget_proof, prove_email
from selfreg.accounts.linking import LinkOffered, linkable_account
from selfreg.addresses import canonical
from selfreg.conf import conf
from selfreg.idx import id_token
from selfreg.idx.client import Grant, IdxClient
from selfreg.idx.deadline import at_most
from selfreg.idx.document import Json
from selfreg.models import OktaIdentity, Registration
from selfreg.registration.commands import HAND_OFF_SECONDS
from selfreg.registration.policy import app_of, connect
from selfreg.statuses import Status
from selfreg.web.visitor import visitor_of

KEYS_SECONDS = 3600
REFETCH_SECONDS = 60
# Claims that may be stored in the session and shown on pages; never groups, roles or permissions.
SESSION_CLAIMS = (
    "sub", "name", "given_name", "family_name", "preferred_username", "email", "email_verified", "locale", "zoneinfo"
)  # fmt: skip


class SignInFailed(Exception):
    """The org answered, and the visitor is not logged in all the same. ``reason`` is a key of ``texts.messages``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotApproved(SignInFailed):
    """The user exists, and an administrator has not approved them yet, or rejected them."""

    def __init__(self, identity: OktaIdentity) -> None:
        refused = identity.approval == OktaIdentity.Approval.REFUSED
        super().__init__("selfreg.rejected" if refused else "selfreg.awaiting_approval")
        self.identity = identity


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call of the token endpoint (``form`` is its body), and the nonce that the ID token must have.

    ``workflow`` is that of the registration, and ``proven_email`` its verified address; "" for a sign-in.
    """

    form: Mapping[str, str] = field(repr=False)
    nonce: str = field(repr=False)
    workflow: str = ""
    proven_email: str = ""


def oidc_setting(name: str, *default: Any) -> Any:
    """Returns a setting of mozilla-django-oidc: the one that follows from ``SELFREG``, else the site's own.

    :raises ImproperlyConfigured: there is none, and no default
    """
    settings = conf()
    app = app_of(settings)
    ours = {
        "OIDC_RP_CLIENT_ID": settings.client_id,
        "OIDC_RP_CLIENT_SECRET": settings.client_secret,
        "OIDC_RP_SCOPES": settings.scopes,
        "OIDC_RP_SIGN_ALGO": "RS256",
        "OIDC_OP_AUTHORIZATION_ENDPOINT": app.endpoint("authorize"),
        "OIDC_OP_TOKEN_ENDPOINT": app.endpoint("token"),
        "OIDC_OP_USER_ENDPOINT": app.endpoint("userinfo"),
        "OIDC_OP_JWKS_ENDPOINT": app.endpoint("keys"),
        "OIDC_USE_NONCE": True,
        "OIDC_USE_PKCE": True,
    }
    return ours[name] if name in ours else import_from_settings(name, *default)


class OktaBackend(OIDCAuthenticationBackend):  # type: ignore[misc]  # no types there
    """Logs in Django users by the ID token and the userinfo of their Okta account."""

    get_settings = staticmethod(oidc_setting)

    # Django hides only ``credentials`` of the frames above this one: nothing below may show a token or verifier either.
    @sensitive_variables()
    def authenticate(
        self, request: HttpRequest | None, grant: Grant | None = None, nonce: str = "", code_verifier: str = ""
    ) -> Any:
        """Returns the Django user, with the claims for the session as its attribute ``okta_claims``.

        :param request: the callback of a sign-in, unless there is a ``grant``; None returns None
        :param grant: the end of a registration
        :param nonce: of the sign-in's session, and so is ``code_verifier``
        :raises IdxError: the org could not be reached, or refused the code
        :raises SignInFailed: the org answered, and the user may not be logged in
        :raises LinkOffered: the visitor may link an existing user of this site first
        """
        if request is None:
            return None
        settings = conf()
        self.client = connect(settings, visitor_of(request, settings)).client
        exchange = self._registration(grant) if grant else self._callback(request, nonce, code_verifier)
        return self._sign_in(exchange)

    def _registration(self, grant: Grant) -> Exchange:
        form = {
            "grant_type": "interaction_code",
            "interaction_code": grant.interaction_code,
            "code_verifier": grant.code_verifier,
        }
        return Exchange(form, grant.nonce, grant.workflow, grant.proven_email)

    def _callback(self, request: HttpRequest, nonce: str, code_verifier: str) -> Exchange:
        form = {
            "grant_type": "authorization_code",
            "code": request.GET.get("code", ""),
            "redirect_uri": self.client.app.redirect_uri,
            "code_verifier": code_verifier,
        }
        return Exchange(form, nonce)

    def _sign_in(self, exchange: Exchange) -> Any:
        with at_most(HAND_OFF_SECONDS):
            tokens = self.client.token(exchange.form)
            token_claims = self._verified(tokens.id_token, exchange.nonce, tokens.access_token)
            userinfo = self.client.userinfo(tokens.access_token)
        if userinfo.get("sub") != token_claims["sub"]:  # OIDC Core 5.3.2
            raise SignInFailed("selfreg.bad_token")
        proven_email = exchange.proven_email or _email_proven_while_waiting(token_claims["sub"])
        claims = _session_claims({**token_claims, **userinfo}, proven_email)
        user = self._user(claims, exchange)
        user.okta_claims = claims
        return user

    def get_user(self, user_id: Any) -> Any:
        """Returns the user of a session; None for inactive users, as in Django's own backend."""
        user = super().get_user(user_id)
        return user if user is not None and user.is_active else None

    # -- the ID token

    def _verified(self, token: str, nonce: str, access_token: str) -> dict[str, Any]:
        """Returns the claims of an ID token; fetches the keys again if its key is not cached."""
        now = timezone.now().timestamp()
        expected = id_token.Expected(conf().issuer, conf().client_id, nonce)
        try:
            try:
                return id_token.verify(token, signing_keys(self.client), expected, access_token=access_token, now=now)
            except id_token.UnknownKey:
                keys = signing_keys(self.client, refetch=True)
                return id_token.verify(token, keys, expected, access_token=access_token, now=now)
        except id_token.InvalidToken as error:
            raise SignInFailed("selfreg.bad_token") from error

    # -- the user

    def _user(self, claims: Mapping[str, Any], exchange: Exchange) -> Any:
        """Returns the Django user of this issuer and subject, a new one if there is none.

        :raises SignInFailed: the address has to be verified first; and whatever ``enter`` raises
        :raises LinkOffered: the visitor may link an existing user of this site first
        """
        issuer, subject = conf().issuer, claims["sub"]
        identity = OktaIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
        is_proven = claims.get("email_verified") is True or (
            identity is not None and _is_still_proven(identity, claims)
        )
        if conf().email_is_mandatory_for(exchange.workflow) and not is_proven:
            raise SignInFailed("selfreg.email_unproven")
        if identity is None and linkable_account(claims) is not None:
            raise LinkOffered(claims)
        return self.enter(claims, identity)

    def enter(self, claims: Mapping[str, Any], identity: OktaIdentity | None = None) -> Any:
        """Returns the Django user for verified claims, updated from them; creates the user if there is no identity.

        :raises SignInFailed: the user is inactive; or the address belongs to another user, where the site's user model
            has unique addresses
        :raises NotApproved: an administrator has to approve the user first
        """
        issuer, subject = conf().issuer, claims["sub"]
        if identity is None:
            identity = self._new_identity(issuer, subject, claims)
        if not identity.user.is_active:
            raise SignInFailed("selfreg.inactive")
        if claims.get("email_verified") is True and identity.email_verified_at is None:
            prove_email(issuer, subject)
        elif claims.get("email_verified") is not True and not _is_still_proven(identity, claims):
            forget_proof(identity)
        if identity.approval in (OktaIdentity.Approval.AWAITED, OktaIdentity.Approval.REFUSED):
            raise NotApproved(identity)
        return self.update_user(identity.user, dict(claims))

    def _new_identity(self, issuer: str, subject: str, claims: Mapping[str, Any]) -> OktaIdentity:
        try:
            with transaction.atomic():
                user = self.create_user({**claims, "iss": issuer})
                approval = OktaIdentity.Approval.AWAITED if conf().approval else OktaIdentity.Approval.NOT_NEEDED
                return OktaIdentity.objects.create(issuer=issuer, subject=subject, user=user, approval=approval)
        except IntegrityError:
            # A concurrent request for the same account may have created the identity.
            identity = OktaIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
            if identity is None:
                # The site's user model has unique addresses. An equal address alone never links accounts.
                raise SignInFailed("selfreg.address_taken") from None
            return identity

    def create_user(self, claims: dict[str, Any]) -> Any:
        """Creates a user with an unusable password. Only the name and the address are taken from the claims."""
        user = self.UserModel(
            **{self.UserModel.USERNAME_FIELD: self.get_username(claims)}, **_attributes(self.UserModel, claims)
        )
        user.set_unusable_password()
        user.save()
        return user

    def update_user(self, user: Any, claims: dict[str, Any]) -> Any:
        """Updates the user's name and address from the claims, and returns the user."""
        changed = {k: v for k, v in _attributes(self.UserModel, claims).items() if getattr(user, k) != v}
        if changed:
            for name, value in changed.items():
                setattr(user, name, value)
            user.save(update_fields=list(changed))
        return user

    def get_username(self, claims: dict[str, Any]) -> str:
        """Returns a user name in ASCII that is derived from issuer and subject, and tells nothing about the person."""
        identity = f"{claims.get('iss', conf().issuer)}\n{claims['sub']}"
        return f"okta-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _is_still_proven(identity: OktaIdentity, claims: Mapping[str, Any]) -> bool:
    """Whether the address was verified here before, and did not change since as far as the user model can tell."""
    before, now = canonical(str(getattr(identity.user, "email", ""))), canonical(str(claims.get("email", "")))
    return identity.email_verified_at is not None and (not before or not now or before == now)


def signing_keys(client: IdxClient, *, refetch: bool = False) -> Json:
    """Returns the issuer's keys (a JWK Set, RFC 7517 section 5), cached for an hour.

    :param refetch: fetches them again, at most once a minute for all workers: the token names a key that is not there
    :raises IdxError: the keys could not be fetched
    """
    name = f"selfreg:keys:{hashlib.sha256(conf().issuer.encode()).hexdigest()[:32]}"
    cached: Json | None = cache.get(name)
    if cached is not None and not (refetch and cache.claim_once(f"{name}:refetched", REFETCH_SECONDS)):
        return cached
    keys = client.keys()
    cache.keep(name, dict(keys), KEYS_SECONDS)
    return keys


def _email_proven_while_waiting(subject: str) -> str:
    """Returns the address of the registration that this sign-in completes, if it was verified meanwhile; else ""."""
    waiting = {"status": Status.AWAITING_EMAIL, "email_verified_at__isnull": False}
    registration = Registration.objects.filter(issuer=conf().issuer, okta_user_id=subject, **waiting).first()
    return registration.email if registration else ""


def _session_claims(claims: Mapping[str, Any], proven_email: str) -> dict[str, Any]:
    """Returns the claims that may be stored: short printable strings and booleans among ``SESSION_CLAIMS``.

    An invalid address is left out. ``email_verified`` is also True if the registration verified this address.
    """
    allowed = {k: claims[k] for k in SESSION_CLAIMS if isinstance(claims.get(k), str | bool)}
    allowed = {k: v for k, v in allowed.items() if not isinstance(v, str) or (len(v) <= 254 and v.isprintable())}
    allowed["sub"] = claims["sub"]
    email = canonical(str(allowed.get("email", "")))
    if not email:
        allowed = {k: v for k, v in allowed.items() if k not in ("email", "email_verified")}
    if proven_email and (not email or email == canonical(proven_email)):
        allowed |= {"email": allowed.get("email", proven_email), "email_verified": True}
    return allowed


def org_sign_out_url(request: HttpRequest) -> str:
    """Returns the URL that ends the session at the org, too. For mozilla-django-oidc's ``OIDC_OP_LOGOUT_URL_METHOD``.

    It has ``client_id`` instead of ``id_token_hint``, since no token is kept (OIDC RP-Initiated Logout 1.0, section 2).
    """
    app = app_of(conf())
    query = {"client_id": app.client_id, "post_logout_redirect_uri": f"{conf().base_url}/"}
    return f"{app.endpoint('logout')}?{urlencode(query)}"


def _attributes(model: Any, claims: Mapping[str, Any]) -> dict[str, str]:
    """Returns values from the claims for the fields that the user model has, cut to their length."""
    claim_names = {"email": "email", "first_name": "given_name", "last_name": "family_name"}
    fields = {f.name: f for f in model._meta.concrete_fields if f.name != model.USERNAME_FIELD}
    values = {name: claims.get(claim) for name, claim in claim_names.items() if name in fields}
    return {name: value[: fields[name].max_length] for name, value in values.items() if isinstance(value, str)}
