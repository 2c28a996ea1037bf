"""The hand-off to Django auth: one backend for both ways in, the interaction code and the authorization code.

A subclass of mozilla-django-oidc's backend that keeps its seams and replaces what is unsafe in them: tokens are checked
clause by clause (``idx.id_token``), people are found by issuer and subject only, and every call goes through the
bounded transport. Its endpoints follow from ``SELFREG["ISSUER"]``.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import import_from_settings

from selfreg import cache
from selfreg.accounts.identities import forget_proof, prove_email
from selfreg.accounts.linking import LinkOffered, account_to_join
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
# What of the claims may reach the session and the pages. Never groups, roles or flags.
SHOWN_CLAIMS = (
    "sub", "name", "given_name", "family_name", "preferred_username", "email", "email_verified", "locale", "zoneinfo"
)  # fmt: skip


class SignInFailed(Exception):
    """The org's answer does not make this person a signed-in user. ``reason`` is a key of ``texts``, never a value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotApproved(SignInFailed):
    """The person is known and an administrator has not let them in, or said no."""

    def __init__(self, identity: OktaIdentity) -> None:
        refused = identity.approval == OktaIdentity.Approval.REFUSED
        super().__init__("selfreg.rejected" if refused else "selfreg.awaiting_approval")
        self.identity = identity


@dataclass(frozen=True, slots=True)
class Exchange:
    """One grant for the token endpoint, and the nonce its ID token must carry."""

    form: Mapping[str, str] = field(repr=False)
    nonce: str = field(repr=False)
    workflow: str = ""
    proven_email: str = ""


def oidc_setting(name: str, *default: Any) -> Any:
    """mozilla-django-oidc's settings: those that follow from ours, else the site's."""
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
    """Signs people in by what the org says about them."""

    get_settings = staticmethod(oidc_setting)

    def authenticate(
        self, request: HttpRequest | None, grant: Grant | None = None, nonce: str = "", code_verifier: str = ""
    ) -> Any:
        """A user, by the end of a registration (``grant``) or by the callback that ``request`` is.

        The user carries ``okta_claims``, the claims that may be shown.

        :raises IdxError: the org could not be asked, or refused the code
        :raises SignInFailed: it answered, and the answer does not hold
        :raises LinkOffered: the person may join an account that was here before
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
            claims = self._verified(tokens.id_token, exchange.nonce, tokens.access_token)
            about = self.client.userinfo(tokens.access_token)
        if about.get("sub") != claims["sub"]:
            raise SignInFailed("selfreg.bad_token")
        person = _person({**claims, **about}, exchange.proven_email or _proven_while_waiting(claims["sub"]))
        user = self._user(person, exchange)
        user.okta_claims = person
        return user

    def get_user(self, user_id: Any) -> Any:
        """Who a session belongs to; None as soon as they are switched off, as Django's own backend has it."""
        user = super().get_user(user_id)
        return user if user is not None and user.is_active else None

    # -- the token

    def _verified(self, token: str, nonce: str, access_token: str) -> dict[str, Any]:
        expected = id_token.Expected(conf().issuer, conf().client_id, nonce)
        try:
            try:
                return id_token.verify(
                    token, signing_keys(self.client), expected, access_token=access_token, now=time.time()
                )
            except id_token.UnknownKey:
                keys = signing_keys(self.client, refetch=True)
                return id_token.verify(token, keys, expected, access_token=access_token, now=time.time())
        except id_token.InvalidToken as error:
            raise SignInFailed("selfreg.bad_token") from error

    # -- the person

    def _user(self, person: Mapping[str, Any], exchange: Exchange) -> Any:
        """The Django user of this issuer and subject; a new one if there is none and the workflow allows it now."""
        issuer, subject = conf().issuer, person["sub"]
        known = OktaIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
        if conf().email_is_mandatory_for(exchange.workflow) and not (
            person.get("email_verified") is True or (known and _still_proven(known, person))
        ):
            raise SignInFailed("selfreg.email_unproven")
        if known is None and account_to_join(person) is not None:
            raise LinkOffered(person)
        return self.enter(person, known)

    def enter(self, person: Mapping[str, Any], known: OktaIdentity | None = None) -> Any:
        """The user of a person whom the org proved, made now if there is none.

        :raises SignInFailed: switched off here, or the site's users have unique addresses and this one is taken
        :raises NotApproved: an administrator has to let them in first
        """
        issuer, subject = conf().issuer, person["sub"]
        if known is None:
            known = self._new_identity(issuer, subject, person)
        if not known.user.is_active:
            raise SignInFailed("selfreg.inactive")
        if person.get("email_verified") is True and known.email_verified_at is None:
            prove_email(issuer, subject)
        elif person.get("email_verified") is not True and not _still_proven(known, person):
            forget_proof(known)
        if known.approval in (OktaIdentity.Approval.AWAITED, OktaIdentity.Approval.REFUSED):
            raise NotApproved(known)
        return self.update_user(known.user, dict(person))

    def _new_identity(self, issuer: str, subject: str, person: Mapping[str, Any]) -> OktaIdentity:
        try:
            with transaction.atomic():
                user = self.create_user({**person, "iss": issuer})
                approval = OktaIdentity.Approval.AWAITED if conf().approval else OktaIdentity.Approval.NOT_NEEDED
                return OktaIdentity.objects.create(issuer=issuer, subject=subject, user=user, approval=approval)
        except IntegrityError:
            # Somebody else finished the same person a moment ago: theirs is the one.
            found = OktaIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
            if found is None:
                # A site whose users have unique addresses: an address never links accounts by itself.
                raise SignInFailed("selfreg.address_taken") from None
            return found

    def create_user(self, claims: dict[str, Any]) -> Any:
        """A user without a password here, named after issuer and subject, with nothing but name and address from
        the claims.
        """
        user = self.UserModel(
            **{self.UserModel.USERNAME_FIELD: self.get_username(claims)}, **_attributes(self.UserModel, claims)
        )
        user.set_unusable_password()
        user.save()
        return user

    def update_user(self, user: Any, claims: dict[str, Any]) -> Any:
        """Name and address as the org has them now."""
        changed = {k: v for k, v in _attributes(self.UserModel, claims).items() if getattr(user, k) != v}
        if changed:
            for name, value in changed.items():
                setattr(user, name, value)
            user.save(update_fields=list(changed))
        return user

    def get_username(self, claims: dict[str, Any]) -> str:
        """Stable, unique for issuer and subject, ASCII, and no address."""
        identity = f"{claims.get('iss', conf().issuer)}\n{claims['sub']}"
        return f"okta-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def _still_proven(known: OktaIdentity, person: Mapping[str, Any]) -> bool:
    """Whether the address was proven here and is the same now. A site that keeps no addresses cannot tell."""
    before, now = canonical(str(getattr(known.user, "email", ""))), canonical(str(person.get("email", "")))
    return known.email_verified_at is not None and (not before or not now or before == now)


def signing_keys(client: IdxClient, *, refetch: bool = False) -> Json:
    """The issuer's keys, kept for an hour; fetched anew for an unknown key id, at most once a minute for all
    workers.
    """
    name = f"selfreg:keys:{hashlib.sha256(conf().issuer.encode()).hexdigest()[:32]}"
    kept: Json | None = cache.get(name)
    if kept is not None and not (refetch and cache.first(f"{name}:refetched", REFETCH_SECONDS)):
        return kept
    fresh = client.keys()
    cache.keep(name, dict(fresh), KEYS_SECONDS)
    return fresh


def _proven_while_waiting(subject: str) -> str:
    """The address of a registration that is completed by this sign-in and saw its address proven meanwhile."""
    waiting = {"status": Status.AWAITING_EMAIL, "email_verified_at__isnull": False}
    found = Registration.objects.filter(issuer=conf().issuer, okta_user_id=subject, **waiting).first()
    return found.email if found else ""


def _person(claims: Mapping[str, Any], proven_email: str) -> dict[str, Any]:
    """What may be shown of the claims: short texts and flags. The address is verified if the org says so or if its code
    was answered in this registration; an address that is none is left out."""
    shown = {k: claims[k] for k in SHOWN_CLAIMS if isinstance(claims.get(k), str | bool)}
    shown = {k: v for k, v in shown.items() if not isinstance(v, str) or (len(v) <= 254 and v.isprintable())}
    shown["sub"] = claims["sub"]
    email = canonical(str(shown.get("email", "")))
    if not email:
        shown = {k: v for k, v in shown.items() if k not in ("email", "email_verified")}
    if proven_email and (not email or email == canonical(proven_email)):
        shown |= {"email": shown.get("email", proven_email), "email_verified": True}
    return shown


def org_sign_out_url(request: HttpRequest) -> str:
    """Ends the session at the org too. For mozilla-django-oidc's ``OIDC_OP_LOGOUT_URL_METHOD``.

    RP-initiated logout by ``client_id``: no token is kept that could serve as a hint.
    """
    app = app_of(conf())
    back = {"client_id": app.client_id, "post_logout_redirect_uri": f"{conf().base_url}/"}
    return f"{app.endpoint('logout')}?{urlencode(back)}"


def _attributes(model: Any, claims: Mapping[str, Any]) -> dict[str, str]:
    """The model's own fields that claims may fill, cut to their length."""
    wanted = {"email": "email", "first_name": "given_name", "last_name": "family_name"}
    fields = {f.name: f for f in model._meta.concrete_fields}
    found = {
        ours: claims.get(theirs) for ours, theirs in wanted.items() if ours in fields and ours != model.USERNAME_FIELD
    }
    return {name: value[: fields[name].max_length] for name, value in found.items() if isinstance(value, str)}
