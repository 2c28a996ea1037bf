"""Warms up a worker, so that its first visitor does not have to wait.

A new process has only imported the app: templates are not compiled, translations are not loaded, middleware imports
some modules at the first request, and the org's form and keys may not be cached.
"""

import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.forms.renderers import get_default_renderer
from django.template.loader import get_template
from django.urls import get_script_prefix, reverse
from django.utils.formats import get_format
from django.utils.translation import gettext, override, to_locale

from selfreg.accounts.signing_keys import fetch_keys
from selfreg.conf import Conf, conf, orgs
from selfreg.database_connections import ours
from selfreg.idx.client import Visitor
from selfreg.idx.deadline import at_most
from selfreg.monitoring.context import no_visit
from selfreg.registration.policy import Org, cached_form, connect, sign_up_form, site_language
from selfreg.web.visitor import FORWARDED

__all__ = ["warm_up"]

logger = logging.getLogger(__name__)

APP = Path(__file__).parent
NOBODY = "127.0.0.1"
# For all calls together, so that a worker does not start too late.
ORG_SECONDS = 4.0


def warm_up() -> None:
    """Do what the first visitor of this process would have to wait for. Call it once in each worker, after the fork.

    It compiles this app's templates, loads its translations, opens the database once, fetches the signing keys and the
    sign-up form of every org unless the form is cached, and renders the form of the default org once. That costs one
    call to each org, and two or three more if the form has to be fetched. Nothing is raised: if an org or the database
    is down, that is logged, and the work is done when a visitor needs it.
    """
    for part in PARTS:
        try:
            part()
        except Exception as error:  # noqa: BLE001  (it is more important that the worker starts)
            # Only the class, because the text may contain anything from the site's own code.
            logger.warning("Left for the first visitor: %s (%s)", part.__name__.strip("_"), type(error).__name__)
    connections.close_all()  # those of this thread; requests are served by others


def _translations() -> None:
    translated = {path.name for path in (APP / "locale").iterdir()} | {to_locale(site_language())}
    for language, _name in django_settings.LANGUAGES:
        if to_locale(language) in translated:
            with override(language):
                gettext("Sign up")
                get_format("DATE_FORMAT")


def _templates() -> None:
    for path in (APP / "templates").rglob("*.html"):
        get_template(str(path.relative_to(APP / "templates")))
    renderer = get_default_renderer()
    for widget in vars(forms.widgets).values():
        if name := getattr(widget, "template_name", None):
            renderer.get_template(name)


def _database() -> None:
    ours().ensure_connection()


def _org(settings: Conf) -> Org:
    return connect(settings, Visitor(language=site_language()))


def _keys() -> None:
    """Fetch the keys, which also opens the connection for the first calls of this process."""
    with at_most(ORG_SECONDS):
        for settings in orgs().values():
            fetch_keys(_org(settings).client)


def _form() -> None:
    with at_most(ORG_SECONDS):
        for settings in orgs().values():
            sign_up_form(_org(settings))


def _first_page() -> None:
    """Only if its form is cached: otherwise this would call the org, and keep what it answers in a session."""
    if cached_form(_org(conf())) is not None:
        site = urlsplit(conf().base_url)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/" + reverse("selfreg:start").removeprefix(get_script_prefix()),
            "QUERY_STRING": "",
            "SERVER_NAME": site.hostname,
            "SERVER_PORT": str(site.port or (443 if site.scheme == "https" else 80)),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": site.netloc,
            "HTTP_ACCEPT_LANGUAGE": site_language(),
            "REMOTE_ADDR": NOBODY,
            # As behind the site's proxies, however many: otherwise the log would say that they name no address.
            f"HTTP_{conf().proxy_header.upper().replace('-', '_')}": _hops(),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": site.scheme,
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        with override(site_language()), no_visit():
            WSGIHandler()(environ, _ignore).close()


def _hops() -> str:
    hop = f"for={NOBODY}" if conf().proxy_header.lower() == FORWARDED.lower() else NOBODY
    return ", ".join([hop] * max(conf().trusted_proxies, 1))


def _ignore(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
    return len


PARTS: tuple[Callable[[], None], ...] = (_translations, _templates, _database, _keys, _form, _first_page)
