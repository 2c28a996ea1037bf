"""``manage.py check`` works without database and org, as in the build of an image."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = "127.0.0.1:1"
# Runs the checks in a process in which every attempt to connect fails.
WITHOUT_NETWORK = """
import socket, sys
def refuse(*arguments, **options):
    raise SystemExit("the checks asked for a connection")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "check"])
"""


def test_system_checks_need_no_network_and_no_database() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OKTA_", "SELFREG_"))}
    environment |= {
        "ENV_FILE": os.devnull,
        "DEBUG": "true",
        "DATABASE_URL": f"postgres://nobody@{NOWHERE}/nothing",
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }
    command = [sys.executable, "-c", WITHOUT_NETWORK]
    result = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "asked for a connection" not in result.stderr
