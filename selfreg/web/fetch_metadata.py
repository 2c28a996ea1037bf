"""How a browser came to send a request (W3C Fetch Metadata): by a person, or by a page that they look at.

Another site's page can make a browser send any GET, by an image for example, and the site counts it as the visitor's.
Browsers say so in headers that pages cannot set. Requests without these headers come from programs and old browsers.
"""

from urllib.parse import urlsplit

from django.http import HttpRequest

OWN = ("same-origin", "same-site", "none")
# How browsers name a page that they load in advance; the last two are old.
PURPOSES = ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")


def is_embedded(request: HttpRequest) -> bool:
    """Return whether another site's page embeds this (an image, a frame), or a browser loads it in advance."""
    headers = request.headers
    if any(word in headers.get(name, "") for name in PURPOSES for word in ("prefetch", "preview")):
        return True
    site, use = headers.get("Sec-Fetch-Site", "none"), headers.get("Sec-Fetch-Dest", "document")
    # A script of a sibling host may use the JSON interface, and nothing there embeds a page.
    return site not in ("same-origin", "none") and use not in (("document", "empty") if site in OWN else ("document",))


def is_unattended(request: HttpRequest) -> bool:
    """Return whether another site's page opened this page, and nobody clicked."""
    headers = request.headers
    return headers.get("Sec-Fetch-Site", "none") not in OWN and headers.get("Sec-Fetch-User") != "?1"


def is_from_own_page(request: HttpRequest) -> bool:
    """Return whether a page of this very site sent a form. Older browsers name the page's origin only."""
    if site := request.headers.get("Sec-Fetch-Site", ""):
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.get_host()
