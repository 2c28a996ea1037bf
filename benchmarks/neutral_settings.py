"""Production's settings with `ENUMERATION = "neutral"`, for visitors in a hurry."""

from benchmarks.load_settings import *  # noqa: F403  (settings that extend others)

SELFREG |= {"ENUMERATION": "neutral", "MINIMUM_FILL_SECONDS": 0, "RESEND_SECONDS": 0}  # noqa: F405  (from the settings above)
