"""The pages. Views parse the request, call ``flows``, and choose a response; nothing else.

A POST that changed something is answered with a redirect, so reloading the page does not repeat it. A GET changes
nothing at the org, with two exceptions: it asks the org if the answer to an earlier call was lost, and the link of an
invitation starts a registration, once in each browser.
"""

# ruff: isort: skip_file
from selfreg.views.account_link import LinkView as LinkView
from selfreg.views.captcha import CaptchaView as CaptchaView
from selfreg.views.done import CancelView as CancelView, DoneView as DoneView
from selfreg.views.email import EmailView as EmailView
from selfreg.views.email_link import VerifyView as VerifyView
from selfreg.views.health import live as live, ready as ready
from selfreg.views.hooks import EventHookView as EventHookView, RegistrationHookView as RegistrationHookView
from selfreg.views.metrics import metrics as metrics
from selfreg.views.oidc import AuthenticateView, CallbackView
from selfreg.views.sessions import SessionsView as SessionsView
from selfreg.views.start import StartView as StartView
from selfreg.views.step import StepView as StepView

# What sites may import; the rest is this app's own.
__all__ = ["AuthenticateView", "CallbackView"]
