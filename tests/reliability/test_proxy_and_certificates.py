"""An org that is only reachable through a proxy, with a certificate of a private authority."""

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
class ProxiedOrg:
    """The org, its proxy, and the settings that the site needs."""

    org: OrgHandle
    proxy: Proxy
    settings: dict[str, str]


@pytest.fixture
def proxied(tmp_path: Path, db: None, configure: Configure) -> Iterator[ProxiedOrg]:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    bundle = tmp_path / "authorities.pem"
    authority.cert_pem.write_to_path(str(bundle))
    port = int(free_port())
    policy = {"api_token": TOKEN}
    with running_org(port, policy, SITE, url=f"https://{NAME}") as org, tls_in_front(context, port) as tls:
        proxy = Proxy(tls, "site", PASSWORD)
        with serving(proxy.handle) as proxy_port:
            settings = {
                "ISSUER": org.issuer,
                "API_TOKEN": TOKEN,
                "PROXY": f"http://site:{PASSWORD}@127.0.0.1:{proxy_port}",
                "CA_BUNDLE": str(bundle),
            }
            configure(**settings)
            yield ProxiedOrg(org, proxy, settings)


def test_every_call_of_a_sign_up_goes_through_the_proxy(proxied: ProxiedOrg) -> None:
    """Sign-up, hand-off, keys and userinfo."""
    assert proxied.org.issuer.startswith(f"https://{NAME}/")
    assert Person().signs_up(proxied.org).is_signed_in
    assert set(proxied.proxy.hosts) == {f"{NAME}:443"}


def test_environment_variables_do_not_change_proxy_and_certificates(
    proxied: ProxiedOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    monkeypatch.setenv("NO_PROXY", NAME)
    assert Person().signs_up(proxied.org).is_signed_in


def test_the_management_api_and_the_doctor_use_the_proxy(proxied: ProxiedOrg) -> None:
    assert [app["id"] for app in ManagementClient(conf(), ()).items("apps")] == [conf().client_id]
    with pytest.raises(SystemExit):  # there is more to find in this org
        call_command("selfreg_doctor", stdout=io.StringIO())
    ids = {finding["id"] for finding in DoctorRun.objects.get().report["findings"]}
    assert not {i for i in ids if "issuer" in i or "token" in i}, ids
    assert proxied.proxy.hosts


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"CA_BUNDLE": ""}, "TLS refused"),
        ({"PROXY": ""}, "no connection"),
        ({"PROXY": "http://127.0.0.1:1"}, "no connection"),
        ({"PROXY": "wrong password"}, "no connection"),
    ],
)
def test_a_wrong_proxy_or_authority_sends_nothing_and_shows_the_unavailable_page(
    proxied: ProxiedOrg, configure: Configure, caplog: pytest.LogCaptureFixture, change: dict[str, str], reason: str
) -> None:
    wrong = proxied.settings["PROXY"].replace(PASSWORD, "canary-wrong")
    configure(**{key: wrong if value == "wrong password" else value for key, value in change.items()})
    person = Person().opens(f"{SITE}/signup/")
    assert person.status == 503
    assert proxied.org.calls() == []
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
def test_checks_report_an_invalid_proxy_or_ca_bundle(configure: Configure, key: str, value: str, check: str) -> None:
    configure(**{key: value})
    assert {m.id for m in run_checks()} & {"selfreg.E027", "selfreg.E028"} == ({check} if check else set())
