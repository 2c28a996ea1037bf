"""django-registration: a name, an address and a password, and the link of a mail. Nobody is signed in by it."""

from benchmarks.peers.base import *  # noqa: F403  (settings that extend others)
from benchmarks.peers.base import INSTALLED_APPS, TEMPLATES

ROOT_URLCONF = "benchmarks.peers.registration_urls"
INSTALLED_APPS = [*INSTALLED_APPS, "django_registration"]
ACCOUNT_ACTIVATION_DAYS = 2
TOKEN_FORM = '<form method="post">{% csrf_token %}{{ form.as_p }}<button>Go on</button></form>'
PAGES = {
    "django_registration/registration_form.html": TOKEN_FORM,
    "django_registration/registration_complete.html": "Look into your mail.",
    "django_registration/activation_form.html": TOKEN_FORM,
    "django_registration/activation_failed.html": "No.",
    "django_registration/activation_complete.html": "Hello",
    "django_registration/activation_email_subject.txt": "Activate",
    "django_registration/activation_email_body.txt": "/accounts/activate/?activation_key={{ activation_key }}",
}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            **TEMPLATES[0]["OPTIONS"],
            "loaders": [
                ("django.template.loaders.cached.Loader", [
                    ("django.template.loaders.locmem.Loader", PAGES),
                    "django.template.loaders.app_directories.Loader",
                ]),
            ],
        },
    }
]  # fmt: skip
