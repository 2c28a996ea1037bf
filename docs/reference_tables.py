"""The directive ``selfreg-table``: tables of the reference, read from the code so that nothing is forgotten."""

import re
from argparse import Action
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from functools import partial
from pkgutil import iter_modules
from typing import Any

from django.core.management import load_command_class
from django.core.management.base import BaseCommand
from django.urls import URLPattern
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

from selfreg import urls
from selfreg.checks.base import CHECKS
from selfreg.conf import SETTING_NAMES, Conf
from selfreg.doctor.findings import FINDING_KINDS
from selfreg.management import commands
from selfreg.models import RegistrationEvent
from selfreg.secret import Secret
from selfreg.statuses import STATUS_INFO, Status
from selfreg.texts.messages import OUR_MESSAGES

Row = tuple[str, ...]
# A value that a check fills in.
PLACEHOLDER = re.compile(r"%\((\w+)\)[rsd]")
# What means something in reStructuredText.
SPECIAL = re.compile(r"[\\*`|]|_(?=\W|$)")
# The settings by subject, as docs/settings.md groups them.
SETTINGS: Mapping[str, str] = {
    "org": "ISSUER CLIENT_ID CLIENT_AUTH CLIENT_SECRET PRIVATE_KEY PRIVATE_KEY_ID SCOPES BASE_URL ENCRYPTION_KEYS",
    "sign-up": "EMAIL_VERIFICATION APPROVAL AFTER LINK_EXISTING REPEAT_PASSWORD ENUMERATION AUTHENTICATORS ATTRIBUTES "
    "PROFILE_HOOK USER_FACTORY",
    "pages": "SITE_NAME SUPPORT TERMS_URL PRIVACY_URL RESET_PASSWORD_URL RECAPTCHA_HOST HCAPTCHA_HOST",
    "logins": "SESSION_SECONDS SESSION_IDLE_SECONDS",
    "limits": "MINIMUM_FILL_SECONDS RESEND_SECONDS PHONE_COUNTRIES PHONE_AFTER_EMAIL MOST_OPEN CALLS_AT_ONCE "
    "FORM_CACHE_SECONDS ACTIVATION_LINK_DAYS",
    "retention": "ABANDONED_AFTER_SECONDS ERASE_ABANDONED_AFTER_SECONDS REDUCE_FINISHED_AFTER_SECONDS",
    "network": "TRUSTED_PROXIES PROXY_HEADER COUNTRY_HEADER PROXY CA_BUNDLE",
    "management": "API_TOKEN API_CLIENT_ID API_PRIVATE_KEY API_KEY_ID HOOK_SECRET METRICS_TOKEN",
    "orgs": "ORGS ORG_RESOLVER",
}
# Annotations of ``Conf`` -> the type that a site writes.
TYPES = {"Secret": "str", "tuple": "list", "Mapping": "dict"}


def setting_rows(subject: str) -> list[Row]:
    """The settings of a subject: name, type, default and meaning."""
    described = ModuleAnalyzer.for_module("selfreg.conf").find_attr_docs()
    known = {field.name.upper(): field for field in fields(Conf)}
    return [
        (f"``{name}``", type_of(known[name]), default_of(known[name]), meaning(described["Conf", name.lower()]))
        for name in SETTINGS[subject].split()
    ]


def type_of(field: Field[Any]) -> str:
    """The type of a setting's values."""
    name = re.split(r"\W", str(getattr(field.type, "__name__", field.type)))[0]
    return f"``{TYPES.get(name, name)}``"


def default_of(field: Field[Any]) -> str:
    """The default as a site would write it; nothing for secrets and texts that are empty."""
    value = "" if field.default is MISSING or isinstance(field.default, Secret) else field.default
    return f"``{list(value) if isinstance(value, tuple) else value!r}``" if value not in ("", ()) else ""


def meaning(lines: list[str]) -> str:
    """A description in which settings are in capitals, and pages are links."""
    text = re.sub(
        r"``(\w+)``", lambda m: f"``{m[1].upper() if m[1].upper() in SETTING_NAMES else m[1]}``", " ".join(lines)
    )
    return re.sub(r"docs/([\w-]+)\.md", r":doc:`\1`", text).strip()


def check_rows() -> list[Row]:
    """Every system check: its id, what it says and what to do."""
    rows = {(check.id, check.message): check for check in CHECKS}
    return [(f"``selfreg.{c.id}``", plain(c.message), remedy(c.hint)) for _, c in sorted(rows.items())]


def remedy(hint: str) -> str:
    """A hint; instead of all settings, the page that lists them."""
    return "See :doc:`settings`." if hint.count(", ") > 20 else plain(hint)


def finding_rows() -> list[Row]:
    """Everything that the doctor can find, and where to correct it in Okta's Admin Console."""
    return [
        (f"``{kind.id}``", kind.severity, plain(str(kind.sentence)), plain(kind.path), "yes" if kind.command else "")
        for kind in FINDING_KINDS
    ]


def event_rows() -> list[Row]:
    """What can happen to a registration."""
    return [(f"``{kind.value}``", str(kind.label)) for kind in RegistrationEvent.Kind]


def status_rows() -> list[Row]:
    """The statuses of a registration, and whether it is open."""
    return [(f"``{status.value}``", str(status.label), STATUS_INFO[status].phase) for status in Status]


def message_rows() -> list[Row]:
    """Keys of this app: reasons of failures, and what pages and the JSON API say."""
    return [(f"``{key}``", plain(str(text))) for key, text in OUR_MESSAGES.items()]


def command_rows() -> list[Row]:
    """The management commands with their own options."""
    names = sorted(found.name for found in iter_modules(commands.__path__) if not found.name.startswith("_"))
    return [row for name in names for row in rows_of(name, load_command_class("selfreg", name))]


def rows_of(name: str, command: BaseCommand) -> Iterable[Row]:
    """A command, then each of its options."""
    known = {option for action in BaseCommand().create_parser("", "")._actions for option in action.option_strings}
    yield f"``{name}``", plain(command.help)
    own = [action for action in command.create_parser("manage.py", name)._actions if not named(action) & known]
    for action in own:
        yield f"``{' '.join(sorted(named(action), key=len)) or action.dest}``", plain(str(action.help or ""))


def named(action: Action) -> set[str]:
    """The names of an option; none for an argument."""
    return set(action.option_strings)


def url_rows() -> list[Row]:
    """The URLs of ``selfreg.urls``, below the path at which the site includes them."""
    patterns = [found for found in urls.urlpatterns if isinstance(found, URLPattern)]
    return [(f"``selfreg:{p.name}``", f"``./{p.pattern}``", plain(summary(p.callback))) for p in patterns]


def summary(view: Any) -> str:
    """The first sentence of a view's docstring."""
    text = getattr(view, "view_class", view).__doc__ or ""
    return " ".join(text.partition("\n\n")[0].replace("``", "").split())


def plain(text: str) -> str:
    """Text as reStructuredText that shows it as it is."""
    named = PLACEHOLDER.sub(r"<\1>", " ".join(text.split()))
    return SPECIAL.sub(r"\\\g<0>", named)


TABLES: Mapping[str, tuple[Row, Callable[[], list[Row]]]] = {
    "checks": (("Check", "Message", "What to do"), check_rows),
    "findings": (
        ("Finding", "Severity", "What's wrong", "Where in the Admin Console", "selfreg_setup_org"),
        finding_rows,
    ),
    "events": (("Event", "In the admin"), event_rows),
    "statuses": (("Status", "In the admin", "Phase"), status_rows),
    "messages": (("Key", "English"), message_rows),
    "commands": (("Command or option", "What it does"), command_rows),
    "urls": (("Name", "Path", "What it is"), url_rows),
    **{
        f"settings-{subject}": (("Setting", "Type", "Default", "What it does"), partial(setting_rows, subject))
        for subject in SETTINGS
    },
}


class Table(Directive):
    """``.. selfreg-table:: checks``: one of ``TABLES``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Returns the table."""
        header, rows_of_table = TABLES[self.arguments[0]]
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for row in (header, *rows_of_table()):
            lines += [f"   {'* -' if index == 0 else '  -'} {cell}" for index, cell in enumerate(row)]
        container = nodes.container()
        self.state.nested_parse(StringList(lines, source=f"selfreg-table {self.arguments[0]}"), 0, container)
        return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("selfreg-table", Table)
    return {"parallel_read_safe": True}
