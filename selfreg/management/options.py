"""Options that several commands have."""

from django.core.management.base import CommandError, CommandParser

from selfreg.conf import Conf, UnknownOrg, conf, orgs


def add_org(parser: CommandParser, default: str) -> None:
    """Add the option ``--org``.

    :param default: what the command does without it, for the help
    """
    parser.add_argument("--org", default="", help=f"a name in SELFREG['ORGS'], or 'default'; without it {default}")


def settings_of(org: str) -> Conf:
    """Return the settings of the org that ``--org`` names.

    :raises CommandError: there is no such org
    """
    try:
        return conf(org)
    except UnknownOrg:
        raise CommandError(f"There is no org {org!r}. Known: {', '.join(orgs())}.") from None
