"""Forged responses of a provider, one per row, and valid responses as controls.

``REFUSED``: nobody is signed in. ``HARMLESS``: the person may be signed in, as nobody but an ordinary user of her own.
``BELIEVED``: the controls, which have to sign in.
"""

import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.provider.hostile_provider import (
    ABSENT,
    CLIENT_ID,
    KID,
    Attack,
    Reply,
    Scene,
    b64,
    ec_key,
    public_jwk,
    rsa_key,
    sha256_left,
)

Forge = Callable[[Scene], Any]
HOUR = 3600
DEEP = b"[" * 50_000 + b"]" * 50_000
PUBLIC = rsa_key().public_key()
ENCODING, FORMAT = serialization.Encoding, serialization.PublicFormat
PEM = PUBLIC.public_bytes(ENCODING.PEM, FORMAT.SubjectPublicKeyInfo)
DER = PUBLIC.public_bytes(ENCODING.DER, FORMAT.SubjectPublicKeyInfo)
PKCS1 = PUBLIC.public_bytes(ENCODING.PEM, FORMAT.PKCS1)
JWK = json.dumps(public_jwk(rsa_key(), alg="RS256")).encode()
LONE_SURROGATE = "\ud800"


def claims(**changes: Any) -> Forge:
    """Return a correctly signed ID token with changed claims. Functions are called for their value."""

    def forge(scene: Scene) -> str:
        return scene.sign(scene.claims(**{k: v(scene) if callable(v) else v for k, v in changes.items()}))

    return forge


def header(**changes: Any) -> Forge:
    """Return a correctly signed ID token with a changed header."""
    return lambda scene: scene.sign(**{k: v(scene) if callable(v) else v for k, v in changes.items()})


def unsigned(alg: str, rest: str = "") -> Forge:
    return lambda s: (
        f"{b64(json.dumps({'alg': alg, 'kid': KID}).encode())}.{b64(json.dumps(s.claims()).encode())}.{rest}"
    )


def forged(key: Any, alg: str, **more: Any) -> Forge:
    """Return an ID token signed with another key than the provider's."""
    return lambda s: s.sign(key=key, alg=alg, **{k: v(s) if callable(v) else v for k, v in more.items()})


def raw_header(text: bytes) -> Forge:
    return lambda s: s.jws(text)


def raw_claims(make: Callable[[Scene], bytes]) -> Forge:
    return lambda s: s.sign(make(s))


def number(name: str, literal: str) -> Forge:
    """Write the value of a claim in a way that ``json.dumps`` would not."""
    return raw_claims(lambda s: json.dumps(s.claims(**{name: "@@"})).replace('"@@"', literal).encode())


def tokens(**changes: Any) -> Forge:
    return lambda s: s.tokens(**{k: v(s) if callable(v) else v for k, v in changes.items()})


def reply(body: bytes | Callable[[Scene], bytes] = b"", status: int = 200, **more: Any) -> Forge:
    """Return any HTTP response. Header values may contain the canary's URL."""

    def forge(s: Scene) -> Reply:
        headers = {k: v(s) if callable(v) else v for k, v in more.get("headers", {}).items()}
        return Reply(body(s) if callable(body) else body, status, headers, more.get("drips", ""))

    return forge


def honest_tokens(s: Scene) -> bytes:
    return json.dumps(s.tokens()).encode()


def honest_keys(s: Scene) -> bytes:
    return json.dumps(s.keys()).encode()


def honest_about(s: Scene) -> bytes:
    return json.dumps(s.about()).encode()


def jwks(*keys: Any) -> Forge:
    return lambda s: {"keys": list(keys)}


def about(**changes: Any) -> Forge:
    return lambda s: s.about(**changes)


def elsewhere(path: str = "/") -> Callable[[Scene], str]:
    return lambda s: f"{s.canary}{path}"


def rows(at: str, table: dict[str, Forge]) -> list[Attack]:
    return [Attack(f"{at}: {name}", at, forge) for name, forge in table.items()]


SIGNATURES = {
    "alg none without a signature": unsigned("none"),
    "alg none with a signature": unsigned("none", "AAAA"),
    "alg None": unsigned("None"),
    "alg NONE": unsigned("NONE"),
    "alg nOnE": unsigned("nOnE"),
    "alg none with a space": unsigned("none "),
    "alg empty": unsigned(""),
    "alg missing": raw_header(b'{"kid":"key-1"}'),
    "alg null": raw_header(b'{"alg":null,"kid":"key-1"}'),
    "alg a list": raw_header(b'{"alg":["RS256"],"kid":"key-1"}'),
    "alg an object": raw_header(b'{"alg":{"RS256":1},"kid":"key-1"}'),
    "alg a number": raw_header(b'{"alg":256,"kid":"key-1"}'),
    "alg in small letters": raw_header(b'{"alg":"rs256","kid":"key-1"}'),
    "alg of an encryption": raw_header(b'{"alg":"RSA-OAEP","kid":"key-1"}'),
    "alg unknown": raw_header(b'{"alg":"RS1","kid":"key-1"}'),
    "HS256 with the public key as PEM": forged(PEM, "HS256"),
    "HS256 with the public key as PEM, stripped": forged(PEM.strip(), "HS256"),
    "HS256 with the public key as PKCS1 PEM": forged(PKCS1, "HS256"),
    "HS256 with the public key as DER": forged(DER, "HS256"),
    "HS256 with the public key as JWK": forged(JWK, "HS256"),
    "HS384 with the public key as PEM": forged(PEM, "HS384"),
    "HS512 with the public key as PEM": forged(PEM, "HS512"),
    "HS256 with the client secret": forged(b"local-demo-secret-not-for-production", "HS256"),
    "HS256 with an empty secret": forged(b"", "HS256"),
    "HS256 with the modulus": forged(str(PUBLIC.public_numbers().n).encode(), "HS256"),
    "another key under the same kid": forged(rsa_key("other"), "RS256"),
    "another key of 1024 bits": forged(rsa_key("small", 1024), "RS256"),
    "an EC key under the kid of an RSA key": forged(ec_key(), "ES256"),
    "PS256 declared, RS256 used": lambda s: s.jws(b'{"alg":"PS256","kid":"key-1"}'),
    "RS512 declared, RS256 used": lambda s: s.jws(b'{"alg":"RS512","kid":"key-1"}'),
    "PS512, properly, though the key is for RS256": forged(rsa_key(), "PS512"),
    "RS384, properly, though the key is for RS256": forged(rsa_key(), "RS384"),
    "signature empty": lambda s: s.sign().rsplit(".", 1)[0] + ".",
    "signature cut": lambda s: s.sign()[:-20],
    "signature of zeros": lambda s: s.sign().rsplit(".", 1)[0] + "." + b64(bytes(256)),
    "signature over other claims": lambda s: _spliced(s.sign(), s.sign(s.claims(sub="00uGRACE"))),
    "ES256 signature of zeros": lambda s: (
        ".".join(s.jws(b'{"alg":"ES256","kid":"key-1"}').split(".")[:2]) + "." + b64(bytes(64))
    ),
}


def _spliced(signed: str, other: str) -> str:
    head, _, signature_part = signed.split(".")
    return ".".join((head, other.split(".")[1], signature_part))


def _as_json(token: str) -> str:
    return json.dumps(dict(zip(("protected", "payload", "signature"), token.split("."), strict=True)))


def _hash(scene: Scene, algorithm: str) -> str:
    return b64(hashlib.new(algorithm, scene.grant.access_token.encode()).digest())


HEADERS = {
    "kid missing": header(kid=ABSENT),
    "kid empty": header(kid=""),
    "kid null": header(kid=None),
    "kid unknown": header(kid="another"),
    "kid a list": header(kid=[KID]),
    "kid an object": header(kid={"a": KID}),
    "kid a number": header(kid=1),
    "kid true": header(kid=True),
    "kid huge": header(kid="k" * 100_000),
    "kid a path": header(kid="../../../../dev/null"),
    "kid an address": header(kid=elsewhere("/kid")),
    "kid with SQL": header(kid="' OR 1=1 --"),
    "kid with NUL": header(kid=f"{KID}\0"),
    "kid in other case": header(kid=KID.upper()),
    "kid with a lone surrogate": header(kid=LONE_SURROGATE),
    "jku to a canary, forged": forged(rsa_key("other"), "RS256", kid="mine", jku=elsewhere("/jwks")),
    "jku to a canary, kid of ours": forged(rsa_key("other"), "RS256", jku=elsewhere("/jwks")),
    "x5u to a canary, forged": forged(rsa_key("other"), "RS256", kid="mine", x5u=elsewhere("/x5u")),
    "x5u to a canary, kid of ours": forged(rsa_key("other"), "RS256", x5u=elsewhere("/x5u")),
    "jwk in the header": forged(rsa_key("other"), "RS256", jwk=public_jwk(rsa_key("other"))),
    "jwk in the header, no kid": forged(rsa_key("other"), "RS256", kid=ABSENT, jwk=public_jwk(rsa_key("other"))),
    "jwk in the header, its own kid": forged(
        rsa_key("other"), "RS256", kid="mine", jwk=public_jwk(rsa_key("other"), kid="mine")
    ),
    "x5c in the header": forged(rsa_key("other"), "RS256", x5c=[b64(DER)]),
    "jwk symmetric in the header": forged(b"known", "HS256", jwk={"kty": "oct", "k": b64(b"known")}),
    "crit of something unknown": header(crit=["exp2"], exp2=1),
    "crit empty": header(crit=[]),
    "crit no list": header(crit="b64"),
    "b64 false": header(b64=False, crit=["b64"]),
    "b64 false without crit": header(b64=False),
    "typ of an access token": header(typ="at+jwt"),
    "typ of Okta's access token": header(typ="application/okta-internal-at+jwt"),
    "typ of a logout token": header(typ="logout+jwt"),
    "typ a list": header(typ=["JWT"]),
    "header deeply nested": raw_header(b'{"alg":"RS256","kid":"key-1","x":' + DEEP + b"}"),
    "header no JSON": raw_header(b"alg=RS256"),
    "header a list": raw_header(b'["RS256"]'),
    "header null": raw_header(b"null"),
    "header empty": raw_header(b""),
    "header no UTF-8": raw_header(b'{"alg":"RS256","kid":"\xff\xfe"}'),
}  # fmt: skip

SHAPES = {
    "no string": lambda s: 1,
    "null": lambda s: None,
    "a list with the token": lambda s: [s.sign()],
    "an object": lambda s: {"jwt": s.sign()},
    "empty": lambda s: "",
    "one dot": lambda s: s.sign().rsplit(".", 1)[0],
    "dots only": lambda s: "..",
    "two tokens with a space": lambda s: f"{s.sign()} {s.sign()}",
    "two tokens with a dot": lambda s: f"{s.sign()}.{s.sign()}",
    "two tokens with a comma": lambda s: f"{s.sign()},{s.sign()}",
    "trailing garbage": lambda s: s.sign() + "!!!",
    "trailing part": lambda s: s.sign() + ".e30",
    "trailing line break": lambda s: s.sign() + "\n",
    "leading space": lambda s: " " + s.sign(),
    "padding": lambda s: s.sign() + "==",
    "Bearer before it": lambda s: "Bearer " + s.sign(),
    "a letter of another alphabet in it": lambda s: s.sign() + "а",
    "full-width dots": lambda s: s.sign().replace(".", "．"),
    "standard base64": lambda s: s.sign().replace("-", "+").replace("_", "/") + "=",
    "JSON serialization": lambda s: _as_json(s.sign()),
    "an encrypted token": lambda s: ".".join([b64(b'{"alg":"RSA-OAEP","enc":"A256GCM","kid":"key-1"}'), *["QUJD"] * 4]),
    "a token in a token": lambda s: s.sign(json.dumps(s.sign()).encode(), cty="JWT"),
    "the access token instead": lambda s: s.grant.access_token,
    "huge": lambda s: s.sign(s.claims(pad="x" * 300_000)),
    "claims deeply nested": raw_claims(lambda s: json.dumps(s.claims(x="@@")).replace('"@@"', DEEP.decode()).encode()),
    "claims no JSON": raw_claims(lambda s: b"sub=00uHER"),
    "claims a list": raw_claims(lambda s: json.dumps([s.claims()]).encode()),
    "claims null": raw_claims(lambda s: b"null"),
    "claims empty": raw_claims(lambda s: b""),
    "claims no UTF-8": raw_claims(lambda s: b'{"sub":"\xff"}'),
    "claims with an integer of 5,000 digits": number("exp", "9" * 5_000),
}  # fmt: skip

# Every required claim, by what else it could be.
WRONG = {
    "missing": ABSENT, "null": None, "a list": [], "an object": {}, "true": True, "false": False, "empty": "",
}  # fmt: skip
CLAIMS = {
    f"{name} {how}": claims(**{name: value})
    for name in ("iss", "sub", "aud", "exp", "iat", "nonce")
    for how, value in WRONG.items()
} | {
    "iss with a slash": claims(iss=lambda s: s.issuer + "/"),
    "iss in other case": claims(iss=lambda s: s.issuer.upper()),
    "iss the org, not the server": claims(iss=lambda s: s.origin),
    "iss another server of the org": claims(iss=lambda s: s.issuer.replace("default", "aus2")),
    "iss another tenant": claims(iss="https://evil.okta.com/oauth2/default"),
    "iss with https": claims(iss=lambda s: s.issuer.replace("http:", "https:")),
    "iss without scheme": claims(iss=lambda s: s.issuer.split("//")[1]),
    "iss with a longer name": claims(iss=lambda s: s.issuer + "2"),
    "iss with a default port": claims(iss=lambda s: s.issuer.replace("/oauth2", ":80/oauth2")),
    "iss a list with the right one": claims(iss=lambda s: [s.issuer]),
    "iss with a space": claims(iss=lambda s: s.issuer + " "),
    "aud another app": claims(aud="0oaAnother"),
    "aud the issuer, like an access token": claims(aud="api://default"),
    "aud in other case": claims(aud=CLIENT_ID.lower()),
    "aud with a space": claims(aud=CLIENT_ID + " "),
    "aud two in one text": claims(aud=f"{CLIENT_ID} 0oaAnother"),
    "aud a part of the id": claims(aud=CLIENT_ID[:-1]),
    "aud a list of others": claims(aud=["0oaAnother", "0oaThird"]),
    "aud a list without azp": claims(aud=[CLIENT_ID, "0oaAnother"]),
    "aud a list, azp another": claims(aud=[CLIENT_ID, "0oaAnother"], azp="0oaAnother"),
    "aud a list in a list": claims(aud=[[CLIENT_ID]]),
    "aud a list with null": claims(aud=[CLIENT_ID, None], azp=CLIENT_ID),
    "aud an object with the id": claims(aud={CLIENT_ID: 1}),
    "azp another": claims(azp="0oaAnother"),
    "azp null": claims(azp=None),
    "azp a list": claims(azp=[CLIENT_ID]),
    "azp empty": claims(azp=""),
    "exp an hour ago": claims(exp=lambda s: s.now - HOUR),
    "exp just over the leeway": claims(exp=lambda s: s.now - 61),
    "exp zero": claims(exp=0),
    "exp negative": claims(exp=-1),
    "exp a text": claims(exp=lambda s: str(s.now + HOUR)),
    "exp a date": claims(exp="2099-01-01T00:00:00Z"),
    "exp NaN": number("exp", "NaN"),
    "exp Infinity": number("exp", "Infinity"),
    "exp 1e999": number("exp", "1e999"),
    "exp in milliseconds": claims(exp=lambda s: (s.now + HOUR) * 1000),
    "exp a list": claims(exp=lambda s: [s.now + HOUR]),
    "iat in the future": claims(iat=lambda s: s.now + 120),
    "iat in ten years": claims(iat=lambda s: s.now + 10 * 365 * 86_400, exp=lambda s: s.now + 11 * 365 * 86_400),
    "iat a year ago": claims(iat=lambda s: s.now - 365 * 86_400),
    "iat ancient": claims(iat=0),
    "iat negative": claims(iat=-5),
    "iat a text": claims(iat=lambda s: str(s.now)),
    "iat NaN": number("iat", "NaN"),
    "iat -1e999": number("iat", "-1e999"),
    "nbf in the future": claims(nbf=lambda s: s.now + 120),
    "nbf null": claims(nbf=None),
    "nbf a text": claims(nbf=lambda s: str(s.now)),
    "nbf 1e999": number("nbf", "1e999"),
    "nbf true": claims(nbf=True),
    "nonce another": claims(nonce="another"),
    "nonce of another session": claims(nonce=lambda s: s.others_nonce),
    "nonce in other case": claims(nonce=lambda s: s.grant.nonce.swapcase()),
    "nonce with a space": claims(nonce=lambda s: s.grant.nonce + " "),
    "nonce cut": claims(nonce=lambda s: s.grant.nonce[:-1]),
    "nonce a list with the right one": claims(nonce=lambda s: [s.grant.nonce]),
    "nonce hashed": claims(nonce=lambda s: sha256_left(s.grant.nonce)),
    "nonce with a lone surrogate": claims(nonce=LONE_SURROGATE),
    "nonce a number": claims(nonce=0),
    "at_hash of another token": claims(at_hash=lambda s: sha256_left("another")),
    "at_hash for another algorithm": claims(at_hash=lambda s: _hash(s, "sha512")[:43]),
    "at_hash whole instead of half": claims(at_hash=lambda s: _hash(s, "sha256")),
    "at_hash empty": claims(at_hash=""),
    "at_hash a list": claims(at_hash=lambda s: [sha256_left(s.grant.access_token)]),
    "at_hash false": claims(at_hash=False),
    "sub another person": claims(sub="00uGRACE"),
    "sub a number": claims(sub=0),
    "sub huge": claims(sub="u" * 100_000),
    "sub of 256 characters": claims(sub="u" * 256),
    "sub a space": claims(sub=" "),
    "sub with NUL": claims(sub="00uHER\0"),
    "sub with a line break": claims(sub="00uHER\n"),
    "sub with a lone surrogate": claims(sub=LONE_SURROGATE),
    "sub in other case": claims(sub="00uher"),
    "a token of another app": claims(aud="0oaAnother", azp="0oaAnother", nonce=lambda s: s.others_nonce),
}  # fmt: skip

BOMB = gzip.compress(b'{"id_token":"' + b"A" * 50_000_000 + b'"}', 1)
JWT = {"Content-Type": "application/jwt"}
REDIRECTS = (301, 302, 303, 307, 308)
GZIP = {"Content-Encoding": "gzip"}
HTML = b"<!doctype html><h1>Sign in</h1><script>alert(1)</script>"
BUSY = {
    "HTML": reply(HTML, headers={"Content-Type": "text/html"}),
    "empty": reply(b""),
    "not JSON": reply(b"access_token=a&id_token=b"),
    "JSON that is cut": lambda s: Reply(honest_tokens(s)[:-9]),
    "a list": lambda s: [s.tokens()],
    "null": reply(b"null"),
    "a text": reply(b'"ok"'),
    "huge": reply(b'{"pad":"' + b"x" * 1_000_000 + b'"}'),
    "a gzip bomb": reply(BOMB, headers=GZIP),
    "gzip that is none": reply(b"\x1f\x8bnonsense", headers=GZIP),
    "deeply nested": reply(b'{"x":' + DEEP + b"}"),
    "NaN": reply(b'{"x":NaN}'),
    "no UTF-8": reply(b'{"x":"\xff\xfe"}'),
    "429": reply(b'{"error":"too_many_requests"}', 429),
    "500": reply(b'{"error":"server_error"}', 500),
    "503 with HTML": reply(HTML, 503),
    "204": reply(b"", 204, headers={"Content-Length": "0"}),
    "304": reply(b"", 304, headers={"Content-Length": "0"}),
    **{f"{code} to a canary": reply(b"{}", code, headers={"Location": elsewhere()}) for code in REDIRECTS},
    "a refresh to a canary": reply(b"", headers={"Refresh": elsewhere("/r"), "Link": elsewhere("/l")}),
}  # fmt: skip
TOKEN = BUSY | {
    "200 with an error": reply(b'{"error":"invalid_grant"}'),
    "200 with an error beside the tokens": tokens(error="access_denied"),
    "201": reply(honest_tokens, 201),
    "202": reply(honest_tokens, 202),
    "206": reply(honest_tokens, 206),
    "400 with the tokens": reply(honest_tokens, 400),
    "401 with the tokens": reply(honest_tokens, 401),
    "invalid_client": reply(b'{"error":"invalid_client"}', 401),
    "an error that is markup": reply(b'{"error":"<script>alert(1)</script>","error_description":"<b>x</b>"}', 400),
    "an error that is an object": reply(b'{"error":{"a":1}}', 400),
    "no ID token": tokens(id_token=ABSENT),
    "ID token null": tokens(id_token=None),
    "ID token empty": tokens(id_token=""),
    "no access token": tokens(access_token=ABSENT),
    "access token null": tokens(access_token=None),
    "access token a number": tokens(access_token=7),
    "access token a list": tokens(access_token=["x"]),
    "access token empty": tokens(access_token=""),
    "access token with a line break": tokens(access_token="a\r\nX-Injected: 1"),
    "access token of another alphabet": tokens(access_token="жетон"),
    "access token of somebody else": tokens(access_token="canary-access-of-somebody-else"),
    "no token type": tokens(token_type=ABSENT),
    "token type mac": tokens(token_type="mac"),
    "token type a list": tokens(token_type=["Bearer"]),
    "names twice": lambda s: Reply(honest_tokens(s)[:-1] + b',"id_token":"x.y.z"}'),
}  # fmt: skip

SMALL = public_jwk(rsa_key("small", 1024), alg="RS256")
TINY = {"kty": "RSA", "kid": KID, "use": "sig", "alg": "RS256", "e": "AQAB", "n": b64(bytes([0xC1] * 64))}
OTHER = public_jwk(rsa_key("other"), alg="RS256")
OWN = public_jwk(rsa_key(), alg="RS256")
PRIVATE = {**OWN, "d": b64(rsa_key().private_numbers().d.to_bytes(256, "big"))}
KEYS = BUSY | {
    "no keys": jwks(),
    "keys null": lambda s: {"keys": None},
    "keys an object": lambda s: {"keys": {KID: OWN}},
    "keys of texts": jwks("RS256", None, 1),
    "no member keys": lambda s: {"jwks": [OWN]},
    "a private key": jwks(PRIVATE),
    "a symmetric key": jwks({"kty": "oct", "kid": KID, "k": b64(b"known"), "alg": "RS256", "use": "sig"}),
    "kty missing": jwks({k: v for k, v in OWN.items() if k != "kty"}),
    "kty wrong": jwks({**OWN, "kty": "EC"}),
    "kty unknown": jwks({**OWN, "kty": "XYZ"}),
    "kty a list": jwks({**OWN, "kty": ["RSA"]}),
    "alg of another family": jwks({**OWN, "alg": "ES256"}),
    "alg HS256": jwks({**OWN, "alg": "HS256"}),
    "use enc": jwks({**OWN, "use": "enc"}),
    "use a list": jwks({**OWN, "use": ["sig"]}),
    "key_ops without verify": jwks({**{k: v for k, v in OWN.items() if k != "use"}, "key_ops": ["encrypt"]}),
    "a key of 512 bits": jwks(TINY),
    "a modulus that is empty": jwks({**OWN, "n": ""}),
    "a modulus that is a number": jwks({**OWN, "n": 5}),
    "a modulus that is missing": jwks({k: v for k, v in OWN.items() if k != "n"}),
    "an exponent of one": jwks({**OWN, "e": "AQ"}),
    "an exponent of zero": jwks({**OWN, "e": "AA"}),
    "an EC key for an RSA token": jwks(public_jwk(ec_key(), alg="RS256")),
    "an EC key of another curve": jwks(public_jwk(ec_key(ec.SECP384R1), alg="ES256")),
    "a point that is not on the curve": jwks({**public_jwk(ec_key(), alg="ES256"), "x": b64(bytes(32))}),
    "another key under the kid": jwks(OTHER),
    "another key before ours under one kid": jwks(OTHER, OWN),
    "other kids only": jwks({**OWN, "kid": "another"}),
    "kid missing": jwks({k: v for k, v in OWN.items() if k != "kid"}),
    "kid a list": jwks({**OWN, "kid": [KID]}),
    "kid in other case": jwks({**OWN, "kid": KID.upper()}),
    "a reference to a canary": lambda s: {"keys": [{"kid": KID, "kty": "RSA", "x5u": s.canary, "jku": s.canary}]},
}  # fmt: skip

USERINFO = BUSY | {
    "another sub": about(sub="00uGRACE"),
    "no sub": about(sub=ABSENT),
    "sub null": about(sub=None),
    "sub empty": about(sub=""),
    "sub a list with the right one": about(sub=["00uHER"]),
    "sub in other case": about(sub="00uher"),
    "sub with a space": about(sub="00uHER "),
    "201": reply(honest_about, 201),
    "401": reply(b'{"error":"invalid_token"}', 401),
    "401 with the claims": reply(honest_about, 401),
    "403": reply(b"{}", 403),
    "404": reply(b"{}", 404),
    "200 with an error beside the claims": about(error="invalid_token"),
    "a JWT as body": reply(lambda s: s.sign(s.about(aud=CLIENT_ID)).encode(), headers=JWT),
    "an unsigned JWT as body": reply(lambda s: unsigned("none")(s).encode(), headers=JWT),
    "sub twice": lambda s: Reply(honest_about(s)[:-1] + b',"sub":"00uGRACE"}'),
    "NUL in a name": about(name="Ada\0"),
    "a lone surrogate in a name": about(name=LONE_SURROGATE),
    # The site requires verified addresses, and these claims do not verify them.
    "email_verified missing": about(email_verified=ABSENT),
    "email_verified null": about(email_verified=None),
    "email_verified false": about(email_verified=False),
    "email_verified a text": about(email_verified="true"),
    "email_verified one": about(email_verified=1),
    "email_verified a list": about(email_verified=[True]),
    "email missing though verified": about(email=ABSENT),
    "email no address though verified": about(email="root"),
    "email two addresses though verified": about(email="a@example.com, root@example.com"),
    "email a list though verified": about(email=["root@example.com"]),
    "email with a line break though verified": about(email="root@example.com\nBcc: x@example.com"),
}  # fmt: skip

AUTHORIZE = {
    "state of nobody": lambda s: {"state": "made-up"},
    "state empty": lambda s: {"state": ""},
    "no state": lambda s: {"state": ABSENT},
    "state twice": lambda s: [("code", s.grant.code), ("state", "a"), ("state", "b")],
    "code twice": lambda s: [("code", s.grant.code), ("code", "x"), ("state", "a")],
    "code unknown": lambda s: {"code": "made-up"},
    "code empty": lambda s: {"code": ""},
    "no code": lambda s: {"code": ABSENT},
    "code huge": lambda s: {"code": "x" * 50_000},
    "code with NUL": lambda s: {"code": "\0"},
    "code with markup": lambda s: {"code": "<script>alert(1)</script>"},
    "an error": lambda s: {"code": ABSENT, "error": "access_denied"},
    "an error beside the code": lambda s: {"error": "access_denied"},
    "an error with markup": lambda s: {
        "code": ABSENT, "error": "<script>alert(1)</script>", "error_description": "<script>alert(2)</script>"
    },
    "an error in another language": lambda s: {"code": ABSENT, "error": "нельзя", "error_description": "\u202e" * 500},
    "tokens instead of a code": lambda s: {"code": ABSENT, "id_token": s.sign(), "access_token": "x"},
    "another issuer named": lambda s: {"iss": "https://evil.okta.com/oauth2/default"},
    "the issuer with a slash": lambda s: {"iss": s.issuer + "/"},
}  # fmt: skip

REFUSED_TOKENS = rows("id_token", SIGNATURES | HEADERS | SHAPES | CLAIMS)
REFUSED = [*REFUSED_TOKENS, *rows("token", TOKEN), *rows("keys", KEYS), *rows("userinfo", USERINFO)]
REFUSED_BY_REDIRECT = rows("authorize", AUTHORIZE)

LONGER, NO_LENGTH = {"Content-Length": "9000"}, {"Content-Length": "many"}
SLOW = [
    *(
        Attack(f"{at}: {drips} that drip", at, reply(body, drips=drips))
        for at, body in (("token", honest_tokens), ("keys", honest_keys), ("userinfo", honest_about))
        for drips in ("headers", "body", "silence")
    ),
    *(Attack(f"{at}: a wrong length", at, reply(b"{}", headers=LONGER)) for at in ("token", "keys", "userinfo")),
    *(Attack(f"{at}: no length at all", at, reply(b"{}", headers=NO_LENGTH)) for at in ("token", "keys", "userinfo")),
]

ROOT = "root@example.com"
HARMLESS = rows(
    "userinfo",
    {
        "the superuser's address": about(email=ROOT),
        "the superuser's address in other case": about(email="ROOT@Example.COM"),
        "the superuser's address, full width": about(email="ｒｏｏｔ@example.com"),
        "the superuser's address, dotless": about(email="root@examplе.com"),
        "the superuser's name": about(preferred_username="root", name="root"),
        "is_staff": about(is_staff=True),
        "is_superuser": about(is_superuser=True),
        "is_active": about(is_active=False),
        "groups": about(groups=["admins", "Everyone"]),
        "permissions": about(user_permissions=["auth.change_user"], roles=["admin"]),
        "an id": about(id=1, pk=1, user_id=1, username="root", password="x"),
        "a name with markup": about(name="<script>alert(1)</script>", given_name="<img src=x onerror=alert(1)>"),
        "a name with template tags": about(name="{% debug %}{{ request.session }}"),
        "a name that turns the line round": about(name="\u202egnp.exe", given_name="\u202egnp.exe"),
        "a name of 10 kB": about(name="A" * 10_000, given_name="A" * 10_000, family_name="B" * 10_000),
        "a name that is a list": about(name=["a"], given_name={"a": 1}, family_name=7),
        "a picture at a canary": lambda s: s.about(picture=f"{s.canary}/p.png", profile=f"{s.canary}/p", zoneinfo="x"),
        "another issuer and audience": about(iss="https://evil.example", aud="x", exp=1),
        "a locale that is a path": about(locale="../../etc/passwd"),
    },
)


def rotated(s: Scene) -> dict[str, Any]:
    """The key set of a provider that has a new key beside the old one."""
    return {"keys": [{**OTHER, "kid": "key-0"}, *s.keys()["keys"]]}


BELIEVED = [
    Attack("nothing changed", "", lambda s: None),
    *rows(
        "id_token",
        {
            "clock 30 s ahead": claims(iat=lambda s: s.now + 30, nbf=lambda s: s.now + 30),
            "clock 30 s behind": claims(iat=lambda s: s.now - HOUR, exp=lambda s: s.now - 30),
            "aud a list of one": claims(aud=[CLIENT_ID]),
            "aud a list with azp": claims(aud=[CLIENT_ID, "0oaAnother"], azp=CLIENT_ID),
            "azp beside one aud": claims(azp=CLIENT_ID),
            "no at_hash": claims(at_hash=ABSENT),
            "times with fractions": claims(iat=lambda s: s.now - 0.5, exp=lambda s: s.now + 60.5),
            "claims nobody knows": claims(custom={"a": [1, None]}, groups=["x"], idp="00o1"),
            "typ JWT": header(typ="JWT"),
            "an unknown header": header(origin="okta", jku=elsewhere("/jwks")),
        },
    ),
    *rows("token", {"token type bearer": tokens(token_type="bearer"), "more tokens": tokens(refresh_token="r")}),
    *rows(
        "keys",
        {
            "an older key beside ours": rotated,
            "keys nobody can use beside ours": jwks({"kty": "XYZ", "kid": "x"}, "text", None, OWN),
            "a key without alg": jwks({k: v for k, v in OWN.items() if k != "alg"}),
            "a key without use": jwks({k: v for k, v in OWN.items() if k != "use"}),
            "a key with a certificate": jwks({**OWN, "x5c": ["AAAA"], "x5t": "AAAA"}),
        },
    ),
    *rows(
        "userinfo",
        {
            "names of other alphabets": about(name="Ада Лавлейс", given_name="爱达", family_name="لوفليس"),
            "only what is needed": lambda s: {"sub": "00uHER", "email": "ada@example.com", "email_verified": True},
            "a charset": reply(honest_about, headers={"Content-Type": "application/json; charset=UTF-8"}),
            "gzip": lambda s: Reply(gzip.compress(honest_about(s)), headers=GZIP),
        },
    ),
]  # fmt: skip
