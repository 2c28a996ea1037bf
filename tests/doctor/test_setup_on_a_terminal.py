"""`selfreg_setup_org` on a real terminal: confirmation and Ctrl-C."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from okta_devorg import OrgHandle
from okta_devorg.policy.serialization import policy_to_json
from support.person import KEYS

ROOT = Path(__file__).resolve().parent.parent.parent
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CTRL_C, CTRL_D = "\x03", "\x04"

RunOnTerminal = Callable[[str], tuple[int, str]]


@pytest.fixture
def terminal(org: OrgHandle, tmp_path: Path) -> RunOnTerminal:
    """Return a function that runs the command, types the answer when asked, and returns exit code and screen."""
    site = {"OKTA_ISSUER": org.issuer, "OKTA_CLIENT_ID": "0oaLocalDemoApp0000", "DEBUG": "true", "ENV_FILE": os.devnull}
    token = {"OKTA_API_TOKEN": org.policy.api_token, "SELFREG_ENCRYPTION_KEYS": ",".join(KEYS)}
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}", "TERM": "xterm-256color"}
    command = [sys.executable, "manage.py", "selfreg_setup_org", "--plan-file", str(tmp_path / "plan.json")]

    def run(answer: str) -> tuple[int, str]:
        our_end, their_end = pty.openpty()
        env = {**os.environ, **site, **token, **database}
        # The first terminal that a session leader opens becomes its controlling terminal, which receives Ctrl-C.
        wrapped_command = ["sh", "-c", 'exec "$@" <"$0"', os.ttyname(their_end), *command]
        # Background processes and their children ignore SIGINT by default.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        with subprocess.Popen(
            wrapped_command,
            cwd=ROOT,
            env=env,
            stdin=their_end,
            stdout=their_end,
            stderr=their_end,
            start_new_session=True,
        ) as process:
            os.close(their_end)
            screen, silences = b"", 0
            while (chunk := read(our_end)) is not None:
                screen += chunk
                silences += b"[y/N] " in screen and not chunk
                # Repeat: Python misses a Ctrl-C between printing the question and waiting for input.
                if not chunk and silences % 10 == 1:
                    os.write(our_end, answer.encode())
        os.close(our_end)
        signal.signal(signal.SIGINT, before)
        return process.returncode, screen.decode()

    return run


def read(terminal: int) -> bytes | None:
    """Return new output, nothing while there is none, and None when the other end is closed."""
    if not select.select([terminal], [], [], 0.5)[0]:
        return b""
    try:
        return os.read(terminal, 10_000) or None
    except OSError:  # Linux reports the closed end like this
        return None


@pytest.mark.parametrize(
    ("answer", "code", "expected"),
    [
        ("n\n", 0, "Nothing was changed."),
        ("\n", 0, "Nothing was changed."),
        (CTRL_D, 0, "Nothing was changed."),
        (CTRL_C, 1, "Stopped. Changes that were made are recorded"),
    ],
)
def test_command_asks_before_it_changes_anything(
    org: OrgHandle, terminal: RunOnTerminal, answer: str, code: int, expected: str
) -> None:
    org.patch_policy({"sign_up": False})
    before = policy_to_json(org.policy)
    exit_code, screen = terminal(answer)
    text = COLOUR.sub("", screen)
    assert (exit_code, expected in text) == (code, True), text
    assert "unknownUserAction: DENY -> REGISTER" in text
    assert "Traceback" not in text
    assert text != screen
    assert policy_to_json(org.policy) == before
