"""`selfreg_setup_org` as somebody at a real terminal meets it: it asks, and Ctrl-C is no accident."""

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

At = Callable[[str], tuple[int, str]]


@pytest.fixture
def terminal(org: OrgHandle, tmp_path: Path) -> At:
    """Runs the command, types the answer once it asks, and gives exit code and screen."""
    site = {"OKTA_ISSUER": org.issuer, "OKTA_CLIENT_ID": "0oaLocalDemoApp0000", "DEBUG": "true", "ENV_FILE": os.devnull}
    token = {"OKTA_API_TOKEN": org.policy.api_token, "SELFREG_ENCRYPTION_KEYS": ",".join(KEYS)}
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}", "TERM": "xterm-256color"}
    command = [sys.executable, "manage.py", "selfreg_setup_org", "--plan-file", str(tmp_path / "plan.json")]

    def run(answer: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        env = {**os.environ, **site, **token, **database}
        # The first terminal that the leader of a session opens becomes its own: Ctrl-C goes there.
        opened = ["sh", "-c", 'exec "$@" <"$0"', os.ttyname(theirs), *command]
        # Programs in the background are born deaf to Ctrl-C, and so would be their children.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        with subprocess.Popen(
            opened, cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        ) as process:
            os.close(theirs)
            screen, silences = b"", 0
            while (piece := read(ours)) is not None:
                screen += piece
                silences += b"[y/N] " in screen and not piece
                # Again after a while: Python does not see a Ctrl-C between its question and its wait for the answer.
                if not piece and silences % 10 == 1:
                    os.write(ours, answer.encode())
        os.close(ours)
        signal.signal(signal.SIGINT, before)
        return process.returncode, screen.decode()

    return run


def read(terminal: int) -> bytes | None:
    """What came; nothing while it is silent, as who waits for an answer is; None when the other end is closed."""
    if not select.select([terminal], [], [], 0.5)[0]:
        return b""
    try:
        return os.read(terminal, 10_000) or None
    except OSError:  # so Linux says it
        return None


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ("n\n", 0, "Nothing was changed."),
        ("\n", 0, "Nothing was changed."),
        (CTRL_D, 0, "Nothing was changed."),
        (CTRL_C, 1, "Stopped. Changes that were made are recorded"),
    ],
)
def test_it_asks_before_it_changes_anything(org: OrgHandle, terminal: At, answer: str, code: int, said: str) -> None:
    org.patch_policy({"sign_up": False})
    before = policy_to_json(org.policy)
    exit_code, screen = terminal(answer)
    plain = COLOUR.sub("", screen)
    assert (exit_code, said in plain) == (code, True), plain
    assert "unknownUserAction: DENY -> REGISTER" in plain
    assert "Traceback" not in plain
    assert plain != screen
    assert policy_to_json(org.policy) == before
