"""Do new people get the app?"""

from collections.abc import Iterator

from django.utils.translation import gettext_noop as _

from selfreg.doctor.evidence import Evidence, OrgSettings
from selfreg.doctor.findings import Found, found


def judge(evidence: Evidence) -> Iterator[Found]:
    """The app must be assigned to Everyone, or to the group that the profile policy puts new people into."""
    settings = evidence.settings
    if not isinstance(settings, OrgSettings) or settings.app is None:
        return
    policy = settings.profile_policy
    fitting = {settings.everyone_id, *(policy.target_group_ids if policy else ())} - {""}
    if not fitting & set(settings.app.group_ids):
        joined = ", ".join(["Everyone", *(policy.target_group_ids if policy else ())])
        yield found("app-not-assigned", _("new people join: %(groups)s"), groups=joined)
