"""The management commands as tasks, for sites with a task worker: ``purge.enqueue(limit=1000)``.

They need the extra ``tasks``: Django's own framework from Django 6.0 on, the package ``django-tasks`` before, and a
backend with a worker, such as that of ``django-tasks-db``. Something has to enqueue them regularly; see "Background
work" in the documentation. A task that was stopped, or that left something for its next run, ends as failed.
"""

from typing import TYPE_CHECKING

import django
from django.core.management import call_command

from selfreg.conf import orgs
from selfreg.doctor.examination import examine, save_report
from selfreg.error_reports import without_values
from selfreg.management.commands import selfreg_erase, selfreg_purge, selfreg_recover

if TYPE_CHECKING or django.VERSION < (6, 0):
    from django_tasks import task
else:
    from django.tasks import task

__all__ = ["doctor", "erase", "purge", "recover"]

Commands = selfreg_recover.Command | selfreg_purge.Command | selfreg_erase.Command


@task()
def recover(*, accounts: str = "", limit: int | None = None) -> dict[str, int]:
    """Run ``selfreg_recover``, and return how often each outcome occurred.

    :param accounts: "report", "activate" or "remove"
    :raises CommandError: see the command
    """
    return _counts(selfreg_recover.Command(), *_options(accounts=accounts, limit=limit))


@task()
def purge(*, limit: int | None = None) -> dict[str, int]:
    """Run ``selfreg_purge``, and return how many registrations were erased, reduced and counted.

    :raises CommandError: see the command
    """
    return _counts(selfreg_purge.Command(), *_options(limit=limit))


@task()
def erase(
    email: str, *, with_sessions: bool = False, with_identities: bool = False, with_user: bool = False
) -> dict[str, int]:
    """Run ``selfreg_erase``, and return what was erased, and how many of each.

    The queue holds the address until the task's result is deleted (``prune_db_task_results``).

    :raises CommandError: see the command
    """
    options = _options(with_sessions=with_sessions, with_identities=with_identities, with_user=with_user)
    return _counts(selfreg_erase.Command(), *options, "--", email)


@task()
@without_values
def doctor() -> dict[str, int]:
    """Run ``selfreg_doctor``, and return the number of errors and of warnings. The report is in the admin."""
    reports = [examine(settings) for settings in orgs().values()]
    for report in reports:
        save_report(report)
    errors = sum(len(report.errors) for report in reports)
    return {"errors": errors, "warnings": sum(len(report.findings) for report in reports) - errors}


def _counts(command: Commands, *arguments: str) -> dict[str, int]:
    call_command(command, *arguments, verbosity=0)
    return dict(command.run.counts)


def _options(**values: object) -> list[str]:
    """Run a command like on a command line, so that its values are validated."""
    given = {f"--{name.replace('_', '-')}": value for name, value in values.items() if value not in (None, "", False)}
    return [option if value is True else f"{option}={value}" for option, value in given.items()]
