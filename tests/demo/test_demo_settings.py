import base64
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent.parent
REAL_ORG = {
    "OKTA_ISSUER": "https://example.okta.com/oauth2/default",
    "OKTA_CLIENT_ID": "0oaExample",
    "OKTA_CLIENT_SECRET": "example-client-secret",
}
SITE = {
    "SECRET_KEY": "a-secret-key-of-this-test-0123456789-0123456789-0123456789",
    "SELFREG_ENCRYPTION_KEYS": "Qrkg8nFzccdX1emOMx3QJt1qQR3_U3WDXV5gEBNGhRY=",
    "BASE_URL": "https://www.example.com",
    "ALLOWED_HOSTS": "www.example.com",
}


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    system_variables = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"ENV_FILE": os.devnull, **system_variables, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def setting(name: str, **environment: str) -> str:
    result = python(f"from project import settings; print(settings.{name})", **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("missing", [*SITE, "OKTA_CLIENT_ID"])
def test_missing_variable_for_a_real_org_is_named_in_one_line(missing: str) -> None:
    environment = {name: value for name, value in (REAL_ORG | SITE).items() if name != missing}
    result = python("import project.settings", **environment)
    assert result.returncode != 0
    assert f"{missing} is not set. It is required" in result.stderr.strip().splitlines()[-1]


def test_debug_is_on_only_with_the_local_org() -> None:
    assert setting("DEBUG") == "True"
    assert setting("DEBUG", **REAL_ORG, **SITE) == "False"


def test_local_org_without_debug_requires_the_secrets() -> None:
    assert "SECRET_KEY is not set" in python("import project.settings", DEBUG="false").stderr
    assert setting("DEBUG", DEBUG="false", **SITE) == "False"


def test_local_org_on_its_port_is_the_default() -> None:
    assert setting("SELFREG['ISSUER']") == "http://127.0.0.1:9000/oauth2/default"
    assert setting("SELFREG['ISSUER']", ORG_PORT="9123") == "http://127.0.0.1:9123/oauth2/default"
    assert setting("BASE_URL", PORT="8123") == "http://127.0.0.1:8123"


def test_secret_of_the_local_org_is_not_used_with_another_org() -> None:
    environment = {**REAL_ORG, **SITE, "OKTA_CLIENT_SECRET": ""}
    assert setting("SELFREG['CLIENT_SECRET']", **environment) == ""


def test_cookies_outside_debug_are_secure_with_host_prefix() -> None:
    production = {**REAL_ORG, **SITE}
    assert setting("SESSION_COOKIE_NAME", **production) == "__Host-sessionid"
    assert setting("SESSION_COOKIE_SECURE", **production) == "True"
    assert setting("SECURE_SSL_REDIRECT", **production) == "True"


def test_forwarded_proto_header_is_used_only_behind_a_trusted_proxy() -> None:
    production = {**REAL_ORG, **SITE}
    header = "__dict__.get('SECURE_PROXY_SSL_HEADER')"
    assert setting(header, **production) == "None"
    assert "HTTP_X_FORWARDED_PROTO" in setting(header, TRUSTED_PROXIES="1", **production)


def test_deployment_check_has_no_warnings_in_production(tmp_path: Path) -> None:
    code = (
        "from django.core.management import execute_from_command_line as run; "
        "run(['manage.py', 'createcachetable']); run(['manage.py', 'check', '--deploy'])"
    )
    database = {"DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3"}
    result = python(code, DJANGO_SETTINGS_MODULE="project.settings", **REAL_ORG, **SITE, **database)
    assert result.returncode == 0, result.stderr
    assert "WARNINGS" not in result.stderr


def test_service_app_authenticators_and_attributes_come_from_the_environment() -> None:
    environment = {
        "OKTA_API_CLIENT_ID": "0oaService",
        "OKTA_API_PRIVATE_KEY": r"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        "OKTA_API_KEY_ID": "kid-1",
        "SELFREG_HOOK_SECRET": "a-hook-secret-of-this-test-0123",
        "AUTHENTICATORS": "okta_email, phone_number",
        "ATTRIBUTES": "email,mobilePhone",
    }
    names = ("API_CLIENT_ID", "API_PRIVATE_KEY", "API_KEY_ID", "HOOK_SECRET", "AUTHENTICATORS", "ATTRIBUTES")
    code = f"from project.settings import SELFREG; print(*[SELFREG[n] for n in {names}], sep='|')"
    assert python(code, **environment, **REAL_ORG, **SITE).stdout.strip().split("|") == [
        "0oaService",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        "kid-1",
        "a-hook-secret-of-this-test-0123",
        "['okta_email', 'phone_number']",
        "['email', 'mobilePhone']",
    ]


def test_env_example_lists_exactly_the_variables_of_the_settings() -> None:
    source = (ROOT / "project" / "settings.py").read_text()
    used = set(re.findall(r'(?:env\.\w+|os\.environ\.get|required)\(\s*"([A-Z_]+)"', source))
    documented = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert used == documented


@pytest.mark.parametrize("name", ["PORT", "ORG_PORT"])
def test_invalid_port_is_reported(name: str) -> None:
    result = python("from project import demo; raise SystemExit(demo.main())", **{name: "abc"})
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1].startswith(f"make demo: {name} is 'abc', but must be a number")
    assert "Traceback" not in result.stderr


KEY = SITE["SELFREG_ENCRYPTION_KEYS"]
OTHER_KEY = base64.urlsafe_b64encode(bytes(range(3, 250, 11)) + b"Zq7!pX0%s").decode()
WEAK = [
    {"SECRET_KEY": "insecure-demo-secret-key-used-only-under-debug-never-in-production"},
    {"SECRET_KEY": "short"},
    {"SECRET_KEY": "ab" * 40},
    {"SELFREG_ENCRYPTION_KEYS": "aW5zZWN1cmUtZGVtby1lbmNyeXB0aW9uLWtleS0zMmI="},
    {"SELFREG_ENCRYPTION_KEYS": f"{KEY},aW5zZWN1cmUtZGVtby1lbmNyeXB0aW9uLWtleS0zMmI="},
    {"SELFREG_ENCRYPTION_KEYS": base64.urlsafe_b64encode(bytes(32)).decode()},
    {"SELFREG_ENCRYPTION_KEYS": base64.urlsafe_b64encode(b"ab" * 16).decode()},
    {"SELFREG_ENCRYPTION_KEYS": base64.urlsafe_b64encode(bytes(range(32))).decode()},
    {"SELFREG_ENCRYPTION_KEYS": base64.urlsafe_b64encode(bytes(range(62, -1, -2))).decode()},
    {"SELFREG_ENCRYPTION_KEYS": f"{KEY},{KEY}"},
    {"SELFREG_ENCRYPTION_KEYS": f"{KEY},{OTHER_KEY},{KEY}"},
    {"SELFREG_ENCRYPTION_KEYS": KEY, "SECRET_KEY": KEY},
    {"SELFREG_ENCRYPTION_KEYS": KEY, "SECRET_KEY": f" {KEY} "},
    {"SELFREG_ENCRYPTION_KEYS": base64.urlsafe_b64encode(SITE["SECRET_KEY"][:32].encode()).decode()},
    {"SELFREG_HOOK_SECRET": "a"},
    {"SELFREG_HOOK_SECRET": "a" * 40},
    {"SELFREG_HOOK_SECRET": "twenty-three-characters"},
    {"SELFREG_HOOK_SECRET": SITE["SECRET_KEY"]},
    {"SELFREG_HOOK_SECRET": "example-client-secret"},
    {"SELFREG_HOOK_SECRET": "Password1234Password1234"},
    {"SELFREG_HOOK_SECRET": KEY},
    {"SELFREG_METRICS_TOKEN": "metrics"},
    {"SELFREG_ENCRYPTION_KEYS": base64.urlsafe_b64encode(b"correct horse battery staple, 7!").decode()},
    {"OKTA_CLIENT_SECRET": "local-demo-secret-not-for-production"},
    {"OKTA_API_TOKEN": "local-api-token-not-for-production"},
    {"OKTA_API_TOKEN": SITE["SECRET_KEY"]},
]


@pytest.mark.parametrize("weak", WEAK, ids=range(len(WEAK)))
def test_published_weak_or_repeated_keys_are_rejected_outside_debug(
    weak: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in ({"ENV_FILE": os.devnull} | REAL_ORG | SITE | weak).items():
        monkeypatch.setenv(name, content)
    monkeypatch.delenv("DEBUG", raising=False)
    value = next(iter(weak.values())).strip()
    with pytest.raises(ImproperlyConfigured) as error:
        runpy.run_path(str(ROOT / "project" / "settings.py"))
    assert len(value) < 10 or value not in str(error.value)
    monkeypatch.setenv("DEBUG", "true")
    assert runpy.run_path(str(ROOT / "project" / "settings.py"))["DEBUG"]


def test_several_strong_keys_are_accepted() -> None:
    environment = REAL_ORG | SITE | {"SELFREG_ENCRYPTION_KEYS": f"{KEY},{OTHER_KEY}"}
    assert python("import project.settings", **environment).returncode == 0
