"""Sites with other servers and packages, set up as the packages' documentation describes."""

from support.sites.project import DAPHNE, UVICORN, Recipe

PLAIN = Recipe("plain")
ASGI = (Recipe("uvicorn", server=UVICORN), Recipe("daphne", server=DAPHNE))

OTP = Recipe(
    "django_otp",
    """
INSTALLED_APPS += ["django_otp", "django_otp.plugins.otp_static", "django_otp.plugins.otp_totp"]
authentication = MIDDLEWARE.index("django.contrib.auth.middleware.AuthenticationMiddleware")
MIDDLEWARE.insert(authentication + 1, "django_otp.middleware.OTPMiddleware")
""",
    """
from django_otp.admin import OTPAdminSite

admin.site.__class__ = OTPAdminSite
""",
)

ALLAUTH = Recipe(
    "allauth",
    """
INSTALLED_APPS += ["allauth", "allauth.account"]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS += ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_EMAIL_VERIFICATION = "none"
SELFREG["LINK_EXISTING"] = True
""",
    """
urlpatterns += [path("accounts/", include("allauth.urls"))]
""",
)

UNFOLD = Recipe("unfold", 'INSTALLED_APPS = ["unfold", *INSTALLED_APPS]\n')
JAZZMIN = Recipe("jazzmin", 'INSTALLED_APPS = ["jazzmin", *INSTALLED_APPS]\n')
