"""The `_links` of the objects of the Management API."""

from okta_devorg.wire.ion import Json


def link(href: str, *methods: str) -> Json:
    """Return a link with the HTTP methods that it takes."""
    return {"href": href, "hints": {"allow": list(methods)}} if methods else {"href": href}


def action_link(href: str, method: str = "POST") -> Json:
    """Return a link to an action on a user."""
    return {"href": href, "method": method}


def lifecycle_link(href: str, is_active: bool) -> Json:
    """Return the link that switches an object off, or on if it is off."""
    change = "deactivate" if is_active else "activate"
    return {change: link(f"{href}/lifecycle/{change}", "POST")}
