"""The demo site with an API that pages of another origin may use.

In your own site, the last lines belong in its settings.
"""

import os

from project.settings import *  # noqa: F403  (settings that extend others)
from project.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "corsheaders"]
# Before everything that may answer a request itself; only OperationsMiddleware, which answers no browser, is before it.
MIDDLEWARE = [MIDDLEWARE[0], "corsheaders.middleware.CorsMiddleware", *MIDDLEWARE[1:]]
CORS_ALLOWED_ORIGINS = [os.environ["FRONT_END_ORIGIN"]]
CORS_URLS_REGEX = r"^/signup/api/"
# For the session cookie that comes with the end of a sign-up.
CORS_ALLOW_CREDENTIALS = True
