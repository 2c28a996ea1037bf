"""A Django form made from a step of the org: names, labels, order, choices and limits are the org's."""

from selfreg.forms.step_form import StepForm

__all__ = ["StepForm"]
