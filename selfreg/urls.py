"""The URLs of the pages: ``path("signup/", include("selfreg.urls"))``."""

from django.urls import path

from selfreg import views

app_name = "selfreg"
urlpatterns = [
    path("", views.StartView.as_view(), name="start"),
    path("step/", views.StepView.as_view(), name="step"),
    path("verify/", views.VerifyView.as_view(), name="verify"),
    path("email/", views.EmailView.as_view(), name="email"),
    path("link/", views.LinkView.as_view(), name="link"),
    path("health/live", views.live, name="live"),
    path("health/ready", views.ready, name="ready"),
    path("done/", views.DoneView.as_view(), name="done"),
    path("hooks/registration/", views.RegistrationHookView.as_view(), name="registration_hook"),
    path("hooks/events/", views.EventHookView.as_view(), name="event_hook"),
    path("cancel/", views.CancelView.as_view(), name="cancel"),
]
