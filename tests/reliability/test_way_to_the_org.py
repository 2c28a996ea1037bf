"""An org that is only reached through a proxy, and that an authority of the company vouches for."""

import io
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from django.core.checks import run_checks
from django.core.management import call_command

from okta_devorg import OrgHandle, running_org
from selfreg.conf import conf
from selfreg.models import DoctorRun
from selfreg.monitoring.log import fields_of
from selfreg.okta_api.client import ManagementClient
from support.person import SITE, Person
from support.ports import free_port
from support.relay import Proxy, serving, tls_in_front

Configure = Callable[..., None]
# No resolver knows it: only the proxy leads there.
NAME = "org.invalid"
TOKEN = "a-token-for-one-test"
PASSWORD = "canary-password"


@dataclass
class Behind:
    """The org, the proxy before it, and what the site has to know."""

    org: OrgHandle
    proxy: Proxy
    settings: dict[str, str]


@pytest.fixture
def behind(tmp_path: Path, db: None, configure: Configure) -> Iterator[Behind]:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    bundle = tmp_path / "authorities.pem"
    authority.cert_pem.write_to_path(str(bundle))
    port = int(free_port())
    policy = {"api_token": TOKEN}
    with running_org(port, policy, SITE, url=f"https://{NAME}") as org, tls_in_front(context, port) as tls:
        proxy = Proxy(tls, "site", PASSWORD)
        with serving(proxy.handle) as listening:
            settings = {
                "ISSUER": org.issuer,
                "API_TOKEN": TOKEN,
                "PROXY": f"http://site:{PASSWORD}@127.0.0.1:{listening}",
                "CA_BUNDLE": str(bundle),
            }
            configure(**settings)
            yield Behind(org, proxy, settings)


def test_a_person_signs_up_through_the_proxy(behind: Behind) -> None:
    """Sign-up, hand-off, keys and userinfo: every call goes there."""
    assert behind.org.issuer.startswith(f"https://{NAME}/")
    assert Person().signs_up(behind.org).is_signed_in
    assert set(behind.proxy.hosts) == {f"{NAME}:443"}


def test_the_environment_has_no_say(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    monkeypatch.setenv("NO_PROXY", NAME)
    assert Person().signs_up(behind.org).is_signed_in


def test_the_management_api_and_the_doctor_take_the_same_way(behind: Behind) -> None:
    assert [app["id"] for app in ManagementClient(conf(), ()).items("apps")] == [conf().client_id]
    with pytest.raises(SystemExit):  # there is more to find in this org
        call_command("selfreg_doctor", stdout=io.StringIO())
    ids = {finding["id"] for finding in DoctorRun.objects.get().report["findings"]}
    assert not {i for i in ids if "issuer" in i or "token" in i}, ids
    assert behind.proxy.hosts


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"CA_BUNDLE": ""}, "TLS refused"),
        ({"PROXY": ""}, "no connection"),
        ({"PROXY": "http://127.0.0.1:1"}, "no connection"),
        ({"PROXY": "wrong password"}, "no connection"),
    ],
)
def test_without_the_right_way_nothing_is_sent_and_the_page_says_so(
    behind: Behind, configure: Configure, caplog: pytest.LogCaptureFixture, change: dict[str, str], reason: str
) -> None:
    wrong = behind.settings["PROXY"].replace(PASSWORD, "canary-wrong")
    configure(**{key: wrong if value == "wrong password" else value for key, value in change.items()})
    person = Person().opens(f"{SITE}/signup/")
    assert person.status == 503
    assert behind.org.calls() == []
    logged = caplog.text + "".join(str(fields_of(record)) for record in caplog.records)
    assert reason in logged
    assert "canary" not in logged + person.page.text + repr(conf())


@pytest.mark.parametrize(
    ("key", "value", "check"),
    [
        ("PROXY", "proxy.example:3128", "selfreg.E027"),
        ("PROXY", "socks5://proxy.example", "selfreg.E027"),
        ("CA_BUNDLE", "/nowhere/authorities.pem", "selfreg.E028"),
        ("CA_BUNDLE", __file__, "selfreg.E028"),
        ("PROXY", "http://proxy.example:3128", ""),
    ],
)
def test_a_check_tells_what_cannot_work(configure: Configure, key: str, value: str, check: str) -> None:
    configure(**{key: value})
    assert {m.id for m in run_checks()} & {"selfreg.E027", "selfreg.E028"} == ({check} if check else set())
