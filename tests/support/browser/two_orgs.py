"""Settings of the demo site with a further org that has its own include."""

import os

from project.settings import *  # noqa: F403
from project.settings import SELFREG
from support.org_apps import PARTNERS, SECRETS

ROOT_URLCONF = "support.browser.two_orgs_urls"
SELFREG = SELFREG | {
    "ORGS": {
        "partners": {
            "ISSUER": os.environ["PARTNERS_ISSUER"],
            "CLIENT_ID": PARTNERS,
            "CLIENT_SECRET": SECRETS[PARTNERS],
            "SITE_NAME": "Partners",
            "AFTER": "/members/",
        }
    }
}
