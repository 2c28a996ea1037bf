"""The authentication backend: logs users in by an interaction code (sign-up) or an authorization code (sign-in).

It extends mozilla-django-oidc's backend: ID tokens are verified by ``idx.id_token``, users are looked up by issuer and
subject only, and every call goes through ``idx.transport`` with its deadlines. The endpoints follow from
``SELFREG["ISSUER"]``.
"""

import hashlib
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.contrib.auth import load_backend
from django.db import OperationalError, router, transaction
from django.http import HttpRequest
from django.utils import timezone
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import import_from_settings

from selfreg.accounts import identities, users
from selfreg.accounts.claims import are_complete, session_claims, usable_claims
from selfreg.accounts.linking import LinkOffered, linkable_accounts
from selfreg.accounts.signing_keys import signing_keys
from selfreg.accounts.users import SignUp
from selfreg.conf import Conf, conf
from selfreg.database_connections import retried
from selfreg.error_reports import log_exception, without_values
from selfreg.idx import id_token
from selfreg.idx.client import Grant, Tokens, endpoint_of
from selfreg.idx.deadline import at_most
from selfreg.idx.document import Json
from selfreg.idx.errors import AnswerLost, IdxError
from selfreg.idx.transport import REPEAT_SECONDS
from selfreg.models import OktaIdentity, Registration
from selfreg.registration.commands import HAND_OFF_SECONDS
from selfreg.registration.endings import awaiting_sign_in
from selfreg.registration.policy import connect, sign_out_url
from selfreg.secret import Secret
from selfreg.statuses import Status
from selfreg.web.orgs import settings_of, settings_of_session
from selfreg.web.visitor import visitor_of

__all__ = ["OktaBackend", "org_sign_out_url"]

logger = logging.getLogger("selfreg")

Form = Mapping[str, str | Secret[str]]


class SignInFailed(Exception):
    """The org answered, but the visitor can't be logged in.

    :param reason: a key of ``texts.messages``
    :param clause: what is wrong with the ID token; never one of its values
    """

    def __init__(self, reason: str, clause: str = "") -> None:
        super().__init__(reason)
        self.reason, self.clause = reason, clause


class CodeSpent(IdxError):
    """The code was redeemed, but a later call failed, so the visitor has to sign in again."""

    def __init__(self, error: IdxError) -> None:
        super().__init__(str(error))
        self.request_id = error.request_id


class NotApproved(SignInFailed):
    """The user exists, but an administrator rejected them, or has not decided yet."""

    def __init__(self, identity: OktaIdentity) -> None:
        refused = identity.approval == OktaIdentity.Approval.REFUSED
        super().__init__("selfreg.rejected" if refused else "selfreg.awaiting_approval")
        self.identity = identity


NO_SIGN_UP = SignUp()


def oidc_setting(name: str, *default: Any) -> Any:
    """Return a setting of mozilla-django-oidc: derived from ``SELFREG`` if possible, else the site's own.

    With several orgs, it is that of the default org, and the views and ``OktaBackend`` override it.

    :raises ImproperlyConfigured: there is none, and no default
    """
    settings = conf()
    ours = {
        "OIDC_RP_CLIENT_ID": settings.client_id,
        "OIDC_RP_CLIENT_SECRET": settings.client_secret,
        "OIDC_RP_SCOPES": settings.scopes,
        "OIDC_RP_SIGN_ALGO": "RS256",
        "OIDC_OP_AUTHORIZATION_ENDPOINT": endpoint_of(settings.issuer, "authorize"),
        "OIDC_OP_TOKEN_ENDPOINT": endpoint_of(settings.issuer, "token"),
        "OIDC_OP_USER_ENDPOINT": endpoint_of(settings.issuer, "userinfo"),
        "OIDC_OP_JWKS_ENDPOINT": endpoint_of(settings.issuer, "keys"),
        "OIDC_USE_NONCE": True,
        "OIDC_USE_PKCE": True,
    }
    return ours[name] if name in ours else import_from_settings(name, *default)


class OktaBackend(OIDCAuthenticationBackend):  # type: ignore[misc]  # no types there
    """Logs in Django users with the ID token and the userinfo of their Okta account.

    ``settings`` are those of the org that has the account.
    """

    get_settings = staticmethod(oidc_setting)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings: Conf = conf()

    # Guarded here, too, because sites may call it outside of our views.
    @without_values
    def authenticate(
        self,
        request: HttpRequest | None,
        grant: Grant | None = None,
        nonce: str = "",
        code_verifier: str = "",
        sign_up: SignUp = NO_SIGN_UP,
    ) -> Any:
        """Return the Django user, with the claims for the session as its attribute ``okta_claims``.

        :param request: the callback of a sign-in, or of a page if there is a ``grant``; without one, None is returned
        :param grant: from the end of a registration, which is in ``sign_up``
        :param nonce: from the session of a sign-in, like ``code_verifier``
        :raises IdxError: the org could not be reached, or refused the code
        :raises SignInFailed: the org answered, and the user may not be logged in
        :raises LinkOffered: the visitor may link an existing user of this site first
        """
        if request is None:
            return None
        self.settings = sign_up.registration.settings if sign_up.registration else settings_of(request)
        self.client = connect(self.settings, visitor_of(request, self.settings)).client
        if grant:
            form: Form = {"grant_type": "interaction_code", "interaction_code": grant.code}
        else:
            grant = Grant(Secret(request.GET.get("code", "")), Secret(code_verifier), Secret(nonce))
            redirect_uri = self.client.app.redirect_uri
            form = {"grant_type": "authorization_code", "code": grant.code, "redirect_uri": redirect_uri}
        return self._sign_in({**form, "code_verifier": grant.code_verifier}, grant, sign_up)

    def _sign_in(self, form: Form, grant: Grant, sign_up: SignUp) -> Any:
        with at_most(HAND_OFF_SECONDS):
            # Before the code is spent, because without the keys its tokens would be useless.
            keys = signing_keys(self.client)
            tokens = self._tokens(form)
            try:
                token_claims = self._verified(tokens, grant.nonce, keys)
                userinfo = self._userinfo(token_claims, tokens)
            except IdxError as error:
                raise CodeSpent(error) from error
        if userinfo.get("sub") != token_claims["sub"]:  # OIDC Core 5.3.2
            raise SignInFailed("selfreg.bad_token", "userinfo of another subject")
        proven_email = grant.proven_email or _email_proven_while_waiting(self.settings.issuer, token_claims["sub"])
        claims = usable_claims({**token_claims, **userinfo}, proven_email)
        return retried(lambda: self.user_for(claims, grant.workflow, sign_up))

    def get_user(self, user_id: Any) -> Any:
        """Return the user of a session; None for inactive users, and after the end of their account at Okta."""
        user = self.UserModel._default_manager.filter(pk=user_id).first()
        return user if user is not None and user.is_active and not identities.is_closed(user) else None

    # -- the tokens

    def _tokens(self, form: Form) -> Tokens:
        """Redeem the code. Repeat the call if its answer was lost quickly: Okta accepts a code only once anyway."""
        started = time.monotonic()
        try:
            return self.client.token(form)
        except AnswerLost:
            if time.monotonic() - started > REPEAT_SECONDS:
                raise
            return self.client.token(form)

    def _verified(self, tokens: Tokens, nonce: Secret[str], keys: Json) -> dict[str, Any]:
        """Return the claims of the ID token. If its key is not among the cached ones, fetch the keys again."""
        now = timezone.now().timestamp()
        expected = id_token.Expected(self.settings.issuer, self.settings.client_id, nonce)
        token, access_token = tokens.id_token, tokens.access_token
        try:
            try:
                return id_token.verify(token, keys, expected, access_token=access_token, now=now)
            except id_token.UnknownKey:
                keys = signing_keys(self.client, refetch=True)
                return id_token.verify(token, keys, expected, access_token=access_token, now=now)
        except id_token.InvalidToken as error:
            raise SignInFailed("selfreg.bad_token", str(error)) from error

    def _userinfo(self, token_claims: Json, tokens: Tokens) -> Json:
        """Return the claims about the person, if possible from the ID token. A site's factory may want more."""
        if are_complete(token_claims) and not self.settings.user_factory:
            return token_claims
        return self.client.userinfo(tokens.access_token)

    # -- the user

    def user_for(self, claims: Mapping[str, Any], workflow: str = "", sign_up: SignUp = NO_SIGN_UP) -> Any:
        """Return the Django user of this issuer and subject, a new one if there is none. Also raises as ``enter``.

        :param workflow: of the registration; "" for a sign-in
        :raises SignInFailed: the address has to be verified first
        :raises LinkOffered: the visitor may link an existing user of this site first
        """
        identity = self._identity(claims["sub"])
        is_proven = claims.get("email_verified") is True or (
            identity is not None and identities.is_still_verified(identity, claims)
        )
        if self.settings.email_is_mandatory(workflow) and not is_proven:
            raise SignInFailed("selfreg.email_unproven" if claims.get("email") else "selfreg.no_email")
        if identity is None and linkable_accounts(claims, self.settings):
            raise LinkOffered(claims, sign_up.profile)
        return self.enter(claims, identity, sign_up)

    def enter(
        self, claims: Mapping[str, Any], identity: OktaIdentity | None = None, sign_up: SignUp = NO_SIGN_UP
    ) -> Any:
        """Return the Django user for verified claims, updated from them. Without an identity, create the user.

        The user gets an attribute ``okta_claims`` with the claims for the session.

        :raises SignInFailed: the user is inactive or could not be created, or another user has the same address and
            the user model wants it to be unique
        :raises NotApproved: an administrator has to approve the user first
        """
        is_new = identity is None
        users.claim_address(self.UserModel, claims, identity.user if identity else None)
        identity = identity or self._new_identity(claims, sign_up)
        if not identity.user.is_active or (not is_new and users.is_hidden(identity.user)):
            raise SignInFailed("selfreg.inactive")
        was_verified, before = identities.is_still_verified(identity, claims), users.address_of(identity.user)
        user: Any = identity.user if is_new else self._updated(identity.user, claims)
        if not users.keeps_old_address(user, before, claims):
            identities.update_verification(identity, claims, was_verified=was_verified)
        if identity.approval in (OktaIdentity.Approval.AWAITED, OktaIdentity.Approval.REFUSED):
            raise NotApproved(identity)
        identities.reopen(identity)
        user.okta_claims = session_claims(claims)
        return user

    def _new_identity(self, claims: Mapping[str, Any], sign_up: SignUp) -> OktaIdentity:
        approval = OktaIdentity.Approval.AWAITED if self.settings.approval else OktaIdentity.Approval.NOT_NEEDED
        try:
            with transaction.atomic(using=router.db_for_write(OktaIdentity)):
                user = self._new_user(claims, sign_up)
                identity = identities.create_identity(self.settings.issuer, claims, user, approval)
        except (OperationalError, SignInFailed):  # the database is down, or the site's own backend refuses
            raise
        except Exception as error:
            # A concurrent request for the same account may have created the identity.
            if existing := self._identity(claims["sub"]):
                return existing
            if users.address_is_taken(self.UserModel, claims.get("email", "")):
                # The same address alone never links accounts.
                raise SignInFailed("selfreg.address_taken") from None
            log_exception(logger, "The Django user of the Okta account %s could not be created.", claims["sub"])
            raise SignInFailed("selfreg.user_not_created") from error
        identities.announce_verified(identity)
        return identity

    def _new_user(self, claims: Mapping[str, Any], sign_up: SignUp) -> Any:
        issuer, factory = self.settings.issuer, self.settings.user_factory
        if not factory:
            return self.create_user({**claims, "iss": issuer})
        if sign_up.registration is None:
            sign_up = SignUp(awaiting_sign_in(issuer, claims["sub"]).first(), sign_up.profile)
        return users.user_by_factory(factory, self.UserModel, claims, sign_up)

    def create_user(self, claims: dict[str, Any]) -> Any:
        """Create a user with an unusable password. Only the name and the address are taken from the claims."""
        user = users.new_user(self.UserModel, claims, self.get_username(claims))
        user.save(force_insert=True)
        return user

    def _updated(self, user: Any, claims: Mapping[str, Any]) -> Any:
        """Return the user, updated if possible. A user who can't be updated may still log in.

        A user with a password of this site keeps the address until the new one is verified, because password resets
        are mailed to it.
        """
        if user.has_usable_password() and claims.get("email_verified") is not True:
            claims = {name: value for name, value in claims.items() if name != "email"}
        try:
            with transaction.atomic(using=user._state.db):
                return self.update_user(user, dict(claims))
        except OperationalError:
            raise
        except Exception:  # noqa: BLE001  (logged below)
            unchanged = self.UserModel._base_manager.get(pk=user.pk)
            if users.address_is_taken(self.UserModel, claims.get("email", ""), unchanged):
                logger.warning("Another user has the new address of Okta account %s: the old one stays.", claims["sub"])
                return self._updated(unchanged, {k: v for k, v in claims.items() if k != "email"})
            log_exception(logger, "User %s could not be updated from the Okta account %s.", user.pk, claims["sub"])
            return unchanged

    def update_user(self, user: Any, claims: dict[str, Any]) -> Any:
        """Update the user's name and address from the claims, and return the user."""
        values = users.attributes(self.UserModel, claims)
        changed = {n: v for n, v in values.items() if getattr(user, n) != v and not user._meta.get_field(n).primary_key}
        if changed:
            for name, value in changed.items():
                setattr(user, name, value)
            user.save(update_fields=list(changed))
        return user

    def get_username(self, claims: dict[str, Any]) -> str:
        """Return an ASCII user name derived from issuer and subject, as long as the column allows.

        It reveals nothing about the person.
        """
        identity = f"{claims.get('iss', self.settings.issuer)}\n{claims['sub']}"
        return f"okta-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"[: users.username_length(self.UserModel)]

    def _identity(self, subject: str) -> OktaIdentity | None:
        identities = OktaIdentity.objects.select_related("user")
        return identities.filter(issuer=self.settings.issuer, subject=subject).first()


def configured_backend(settings: Conf) -> tuple[OktaBackend, str]:
    """Return the site's ``OktaBackend`` for an org, which may be a subclass, and its dotted path."""
    for path in django_settings.AUTHENTICATION_BACKENDS:
        backend = load_backend(path)
        if isinstance(backend, OktaBackend):
            break
    else:
        backend, path = OktaBackend(), f"{OktaBackend.__module__}.{OktaBackend.__qualname__}"
    backend.settings = settings
    return backend, path


def _email_proven_while_waiting(issuer: str, subject: str) -> str:
    """Return the address of the registration that this sign-in completes, if it was verified since then; else ""."""
    waiting = {"status": Status.AWAITING_EMAIL, "email_verified_at__isnull": False}
    registration = Registration.objects.filter(issuer=issuer, okta_user_id=subject, **waiting).first()
    return registration.email if registration else ""


def org_sign_out_url(request: HttpRequest) -> str:
    """Return the URL that also ends the session at the org where the user signed in.

    For mozilla-django-oidc's ``OIDC_OP_LOGOUT_URL_METHOD``. It has ``client_id`` instead of ``id_token_hint``, because
    no token is stored (OIDC RP-Initiated Logout 1.0, section 2).
    """
    settings = settings_of_session(request)
    query = {"client_id": settings.client_id, "post_logout_redirect_uri": sign_out_url(settings)}
    return f"{endpoint_of(settings.issuer, 'logout')}?{urlencode(query)}"
