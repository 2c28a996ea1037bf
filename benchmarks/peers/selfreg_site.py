"""The demo site as in production, without its limits against abuse, so that one machine may sign up hundreds."""

from benchmarks.load_settings import *  # noqa: F403  (settings that extend others)
from benchmarks.load_settings import MIDDLEWARE, SELFREG

ALLOWED_HOSTS = ["*"]
SECURE_SSL_REDIRECT = False
SELFREG = {**SELFREG, "MINIMUM_FILL_SECONDS": 0}
MIDDLEWARE = ["benchmarks.peers.base.count_queries", *MIDDLEWARE]
