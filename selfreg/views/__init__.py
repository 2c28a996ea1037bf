"""The pages. Views parse HTTP, call ``flows``, and pick a response; nothing else.

Every answer to a POST that changed something is a redirect, so refreshing never repeats it. A GET changes nothing,
except that it asks the org once when the answer to an earlier call was lost, and that the link of an invitation begins
its registration, once in each browser.
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
