"""The pages. Views parse the request, call ``flows``, and choose a response; nothing else.

A POST that changed something is answered with a redirect, so reloading the page does not repeat it. A GET changes
nothing, with two exceptions: it asks the org if the answer to an earlier call was lost, and the link of an invitation
starts a registration, once in each browser.
"""

from selfreg.views.account_link import LinkView
from selfreg.views.done import CancelView, DoneView
from selfreg.views.email import EmailView
from selfreg.views.email_link import VerifyView
from selfreg.views.health import live, ready
from selfreg.views.hooks import EventHookView, RegistrationHookView
from selfreg.views.oidc import AuthenticateView, CallbackView
from selfreg.views.start import StartView
from selfreg.views.step import StepView

__all__ = [
    "AuthenticateView",
    "CallbackView",
    "CancelView",
    "DoneView",
    "EmailView",
    "EventHookView",
    "LinkView",
    "RegistrationHookView",
    "StartView",
    "StepView",
    "VerifyView",
    "live",
    "ready",
]
