"""The example of docs/protocol-client.md runs without Django, and gets the form of an org."""

import os
import subprocess
import sys

from okta_devorg import OrgHandle
from support.documentation import blocks_of
from support.sites.wheel import ROOT

SHOWS_FORM = """
import sys
print([field.name for field in answer.response.remediation("enroll-profile").fields], "django" in sys.modules)
"""


def test_the_example_gets_the_form(org: OrgHandle) -> None:
    (block,) = blocks_of((ROOT / "docs" / "protocol-client.md").read_text())
    app = org.policy.apps[0]
    changes = {
        "https://example.okta.com/oauth2/default": org.issuer,
        "0oa...": app.client_id,
        'secret="..."': f"secret={app.client_secret!r}",
        "https://www.example.com/oidc/callback/": app.redirect_uris[0],
    }
    example = block.text
    for there, here in changes.items():
        assert there in example
        example = example.replace(there, here)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example + SHOWS_FORM],
        cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "['userProfile', 'stateHandle'] False", done.stderr
