"""The URLs of the pages: ``path("signup/", include("selfreg.urls"))``.

A further org of the site can have an include of its own, with a namespace of its own:
``path("partners/signup/", include("selfreg.urls", namespace="partners"), {"org": "partners"})``. Its sign-in is there,
too; that of the default org is at the URLs of mozilla-django-oidc.
"""

from django.urls import path
from mozilla_django_oidc.urls import OIDCAuthenticateClass, OIDCCallbackClass

from selfreg import views
from selfreg.web.exemptions import exempt, for_visitors

__all__ = ["app_name", "urlpatterns"]

app_name = "selfreg"
urlpatterns = [
    path("", views.StartView.as_view(), name="start"),
    path("step/", views.StepView.as_view(), name="step"),
    path("verify/", views.VerifyView.as_view(), name="verify"),
    path("email/", views.EmailView.as_view(), name="email"),
    path("link/", views.LinkView.as_view(), name="link"),
    path("health/live", views.live, name="live"),
    path("health/ready", views.ready, name="ready"),
    path("metrics", views.metrics, name="metrics"),
    path("done/", views.DoneView.as_view(), name="done"),
    path("hooks/registration/", views.RegistrationHookView.as_view(), name="registration_hook"),
    path("hooks/events/", views.EventHookView.as_view(), name="event_hook"),
    path("sessions/", views.SessionsView.as_view(), name="sessions"),
    path("sign-in/", OIDCAuthenticateClass.as_view(), name="sign_in"),
    path("callback/", OIDCCallbackClass.as_view(), name="callback"),
    path("captcha/", views.CaptchaView.as_view(), name="captcha"),
    path("cancel/", views.CancelView.as_view(), name="cancel"),
]
exempt(urlpatterns, for_visitors)
