"""Decides whether a visitor has to choose an authenticator, or the site starts one without asking. Pure."""

from selfreg.idx.authenticators import EMAIL
from selfreg.idx.document import Option, Remediation
from selfreg.idx.steps import SELECT, feasible_choices, first_choice, option_id
from selfreg.registration import outcome as outcomes
from selfreg.registration.transition import as_page
from selfreg.registration.transition_types import Position, Transition


def obvious_choice(before: Position, after: Transition, *, may_skip_email: bool) -> tuple[Remediation, Option] | None:
    """Return the authenticator to start without asking: all of the offered ones are required, or email is.

    Return None if the visitor has a real choice, or if ``after`` offers no authenticators.

    :param before: the step before ``after``
    :param may_skip_email: whether the address is verified already, or doesn't have to be
    """
    page = as_page(after.step)
    if (
        page is None
        or page.page != "choose"
        or not page.choices
        or page.messages
        or after.outcome != outcomes.Advanced()
    ):
        return None
    first = first_choice(page.choices)
    is_email = first.authenticator is not None and first.authenticator.key == EMAIL
    are_needed = page.skip is None and (len(page.choices) == 1 or not _may_be_alternatives(before, after, page.choices))
    return (page.remediation, first) if are_needed or (is_email and not may_skip_email) else None


def _may_be_alternatives(before: Position, after: Transition, choices: tuple[Option, ...]) -> bool:
    """Return whether the org offers these only now, after others were set up.

    Its sign-on policy may accept any one of those that it offers late. Those that it always requires are offered from
    the start (docs/protocol.md, section 4.4).
    """
    earlier = before.state.response.remediation(SELECT)
    known = {option_id(o) for o in feasible_choices(earlier)} if earlier else set()
    has_some = after.state is not None and bool(after.state.response.enrolled)
    return has_some and not {option_id(o) for o in choices} <= known
