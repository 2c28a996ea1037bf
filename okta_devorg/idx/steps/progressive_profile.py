"""Progressive profiling: asking users for attributes that they lack (docs/protocol.md, section 4.11)."""

from okta_devorg.factors.profile_form import field_json, not_unique, read_profile
from okta_devorg.idx.steps.registration_hook import approved_update
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.errors import IdxError
from okta_devorg.wire.ion import Json, form


def lacks_attributes(org: Org, user: User) -> bool:
    """Return whether the user lacks one of the attributes."""
    return any(attribute.name not in user.profile for attribute in org.policy.progressive_profile.attributes)


def can_skip_attributes(org: Org) -> bool:
    """Return whether the user may skip the step, which is so if no attribute is required."""
    return not any(attribute.required for attribute in org.policy.progressive_profile.attributes)


def attribute_fields(org: Org) -> list[Json]:
    """Return the fields of the step.

    `profile-update` has a `userProfile` for each attribute, `enroll-profile` one for all of them.
    """
    settings = org.policy.progressive_profile
    fields = [field_json(attribute) for attribute in settings.attributes]
    groups = [[field] for field in fields] if settings.step == "profile-update" else [fields]
    return [{"name": "userProfile", "form": form(group)} for group in groups]


def update_profile(org: Org, user: User, submitted: object) -> None:
    """Add the submitted attributes to the user's profile.

    :raises IdxError: if one is wrong, or the registration hook refuses.
    """
    attributes = org.policy.progressive_profile.attributes
    values, problems = read_profile(attributes, submitted)
    identifiers = ("login", *org.policy.allowed_identifiers)
    for attribute in attributes:
        value = values.get(attribute.name) if attribute.name in identifiers else None
        if value is not None and org.users.find_by_identifier(str(value), identifiers) not in (None, user):
            problems[f"userProfile.{attribute.name}"] = [not_unique(attribute.label)]
    if problems:
        raise IdxError(org.policy.statuses.profile_error, field_messages=problems)
    old_address = user.email
    user.profile.update(approved_update(org, user, values))
    user.email_verified = user.email_verified and user.email == old_address
    user.updated = org.clock.now()
    org.record("user.account.update_profile", user)
