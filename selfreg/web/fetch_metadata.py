"""Why a browser sent a request (W3C Fetch Metadata): because of the visitor, or because of another page.

Another site's page can make a browser send any GET, for example with an image. Browsers reveal this in headers that
pages can't set. Programs and old browsers don't send these headers.
"""

from django.http import HttpRequest

OWN = ("same-origin", "same-site", "none")
# The headers of pages that a browser loads in advance. The last two are of old browsers.
PURPOSES = ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")


def is_embedded(request: HttpRequest) -> bool:
    """Return whether another site's page embeds this one (image, frame), or the browser loads it in advance."""
    headers = request.headers
    if any(word in headers.get(name, "") for name in PURPOSES for word in ("prefetch", "preview")):
        return True
    site, use = headers.get("Sec-Fetch-Site", "none"), headers.get("Sec-Fetch-Dest", "document")
    # Scripts of sibling hosts may use the JSON API ("empty").
    return site not in ("same-origin", "none") and use not in (("document", "empty") if site in OWN else ("document",))


def is_unattended(request: HttpRequest) -> bool:
    """Return whether another site's page opened this one without a click."""
    headers = request.headers
    return headers.get("Sec-Fetch-Site", "none") not in OWN and headers.get("Sec-Fetch-User") != "?1"


def is_from_own_page(request: HttpRequest) -> bool:
    """Return whether a page of this site sent the form. Older browsers only send its origin."""
    if site := request.headers.get("Sec-Fetch-Site", ""):
        return site == "same-origin"
    return request.headers.get("Origin", "").partition("://")[2] == request.get_host()
