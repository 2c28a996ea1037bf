"""Material for attacks on the sign-in: its URLs, an unused callback, and redirect targets on other sites."""

import requests

from support.person import SITE, Person

AUTHENTICATE, CALLBACK = f"{SITE}/oidc/authenticate/", "/oidc/callback/"


def way_back(person: Person) -> str:
    """Start a sign-in and return the URL of its callback without opening it."""
    answer = person.browser.get("/oidc/authenticate/")
    return requests.get(answer["Location"], allow_redirects=False, timeout=60).headers["Location"]


# A sign-in with any of these targets must end on the home page.
FOREIGN_TARGETS = [
    "https://evil.example/",
    "http://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/%09/evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/%5cevil.example",
    "%2f%2fevil.example",
    "/%2fevil.example",
    "http:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "http://testserver:80@evil.example/",
    "//testserver@evil.example",
    "evil.example",
    "/a\r\nSet-Cookie: x=1",
    "/a\0",
    "//[::1]/",
    "/" + "x" * 3_000,
    "http://[",
    "/\u2028/evil.example",
    "?next=//evil.example",
]
