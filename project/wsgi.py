"""The WSGI application, for ``gunicorn project.wsgi``."""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")


class TolerantRequest(WSGIRequest):
    """A request in which an unreadable ``Content-Type`` counts as missing, as in ``a/b; charset*=utf-8''utf%00``.

    Django raises ``ValueError`` for it while it makes the request, before any middleware could answer.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        try:
            super().__init__(environ)
        except ValueError:
            super().__init__({**environ, "CONTENT_TYPE": ""})


application = get_wsgi_application()
application.request_class = TolerantRequest
