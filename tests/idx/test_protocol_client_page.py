"""The example of docs/protocol-client.md completes a sign-up without Django."""

import os
import subprocess
import sys

from okta_devorg import OrgHandle
from support.documentation import blocks_of
from support.sites.wheel import ROOT

PASSWORD = "Correct-horse-7"
PRINT_DJANGO_IMPORTED = '\nimport sys\nprint("django" in sys.modules)\n'


def test_the_example_completes_a_sign_up_without_django(org: OrgHandle) -> None:
    (block,) = blocks_of((ROOT / "docs" / "protocol-client.md").read_text())
    app = org.policy.apps[0]
    changes = {
        "https://example.okta.com/oauth2/default": org.issuer,
        "0oa...": app.client_id,
        'secret="..."': f"secret={app.client_secret!r}",
        "https://www.example.com/oidc/callback/": app.redirect_uris[0],
    }
    example = block.text
    for placeholder, value in changes.items():
        assert placeholder in example
        example = example.replace(placeholder, value)
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-u", "-c", example + PRINT_DJANGO_IMPORTED],
        cwd=ROOT, env={"PATH": os.environ["PATH"]}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert program.stdin
    assert program.stdout
    prompt = ""
    while not prompt.endswith(": "):
        prompt += program.stdout.read(1)
    printed, _ = program.communicate(f"{org.code('ada@example.com')}\n{PASSWORD}\n", timeout=120)
    assert (prompt, printed) == ("okta_email: ", "okta_password: ada@example.com\nFalse\n")
