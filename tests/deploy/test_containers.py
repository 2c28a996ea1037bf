"""The files for containers, tested without a container engine."""

import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from django.core.management import load_command_class
from django.test import Client

from benchmarks.servers import HOST, end, free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES: list[dict[str, Any]] = [
    each for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")) for each in yaml.safe_load_all(path.read_text())
]
# Production settings. No org is called.
PRODUCTION = {
    "DEBUG": "false",
    "OKTA_ISSUER": "https://org.invalid/oauth2/default",
    "OKTA_CLIENT_ID": "0oaTest",
    "BASE_URL": "https://site.example",
    "ALLOWED_HOSTS": "site.example",
    "SECRET_KEY": "made-up-for-one-test-of-a-container-0123456789-0123456789",
    "SELFREG_ENCRYPTION_KEYS": "o1usH0IPyNvWPLLhwfUKptenTuHIDPCtWfrDLDkmz2c=",
}
IMAGE_FOLDER = "/srv/site"


def instructions() -> list[tuple[str, str]]:
    """Return every instruction of the Containerfile with its arguments."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def stages() -> list[list[tuple[str, str]]]:
    parts: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        parts += [[]] if word == "FROM" else []
        parts[-1].append((word, rest))
    return parts


def containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield every container of the Kubernetes files with its pod."""
    for each in KUBERNETES:
        spec = each.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        pod: dict[str, Any] = spec.get("template", {}).get("spec", {})
        for container in pod.get("containers", ()):
            yield f"{each['kind']} {each['metadata']['name']}", container, pod


# ---- compose


def test_compose_file_is_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    result = subprocess.run([*command, str(DEPLOY / "compose.yaml")], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_compose_file_has_all_services() -> None:
    assert set(COMPOSE["services"]) >= {"site", "worker", "database", "cache", "nginx", "prometheus", "grafana"}


def test_every_image_is_pinned_to_a_version() -> None:
    images = [s["image"] for s in COMPOSE["services"].values() if not s["image"].startswith("localhost/")]
    images += [rest.split(" AS ")[0] for word, rest in instructions() if word == "FROM"]
    images += [container["image"] for _name, container, _pod in containers()]
    assert [image for image in images if not re.search(r":v?\d+[.\d]*[\w.-]*$", image)] == []


def test_every_mounted_file_exists() -> None:
    mounts = [m for service in COMPOSE["services"].values() for m in service.get("volumes", ()) if m.startswith("./")]
    assert len(mounts) >= 4
    assert [mount for mount in mounts if not (DEPLOY / mount.split(":")[0]).exists()] == []


def test_every_service_config_and_volume_is_declared() -> None:
    services = COMPOSE["services"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        assert {config["source"] for config in service.get("configs", ())} <= set(COMPOSE["configs"])
        named = {mount.split(":")[0] for mount in service.get("volumes", ()) if re.match(r"[a-z]", mount)}
        assert named <= set(COMPOSE["volumes"])
        for other, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy" and other != "site":  # part of its image
                assert "healthcheck" in services[other]


def test_compose_sets_every_variable_of_the_nginx_template() -> None:
    template = (DEPLOY / "nginx" / "selfreg.conf.template").read_text()
    code = "\n".join(line for line in template.splitlines() if not line.lstrip().startswith("#"))
    assert set(re.findall(r"\$\{(\w+)\}", code)) == set(COMPOSE["services"]["nginx"]["environment"])


def test_every_variable_of_the_site_is_in_env_example() -> None:
    """Variables of gunicorn are excepted, which are read in its configuration."""
    listed = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    of_gunicorn = set(re.findall(r'environ\.\w+\("(\w+)"', (DEPLOY / "gunicorn.conf.py").read_text()))
    of_gunicorn.add("PROMETHEUS_MULTIPROC_DIR")
    set_variables = set(COMPOSE["x-site"]["environment"])
    set_variables |= {v["name"] for _name, container, _pod in containers() for v in container.get("env", ())}
    set_variables |= {
        n for w, rest in stages()[-1] if w == "ENV" for n in re.findall(r"(\w+)=", rest) if not is_of_python(n)
    }
    assert set_variables - listed - of_gunicorn == set()


def is_of_python(name: str) -> bool:
    return name == "PATH" or name.startswith("PYTHON")


def test_embedded_configurations_are_valid(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    config = tmp_path / "prometheus.yml"
    config.write_text(COMPOSE["configs"]["prometheus"]["content"])
    subprocess.run([promtool, "check", "config", "--syntax-only", str(config)], check=True, capture_output=True)
    for name in ("datasource", "dashboards"):
        assert yaml.safe_load(COMPOSE["configs"][name]["content"])["apiVersion"] == 1


# ---- Kubernetes


def test_kubernetes_probes_work_with_plain_http_and_any_host(db: None, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["site.example"]
    (container,) = (c for name, c, _pod in containers() if name == "Deployment site")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = container[probe]["httpGet"]["path"]
        assert Client().get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200, path
        assert container[probe]["httpGet"]["port"] in {port["name"] for port in container["ports"]}


def test_every_container_runs_unprivileged() -> None:
    names = [name for name, _container, _pod in containers()]
    assert len(names) >= 5
    for name, container, pod in containers():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert str(pod["securityContext"]["runAsUser"]) == dict(stages()[-1])["USER"], name
        assert container["securityContext"]["readOnlyRootFilesystem"], name
        assert {mount["name"] for mount in container["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}


def test_every_container_command_and_option_exists() -> None:
    commands = [container["command"] for _name, container, _pod in containers() if "command" in container]
    of_the_site = [s for s in COMPOSE["services"].values() if s["image"] == "localhost/site:latest"]
    commands += [service["command"] for service in of_the_site if "command" in service]
    timers = re.findall(r'"\d+ (selfreg_[^"]*)"', (DEPLOY / "timers.sh").read_text())
    commands += [["python", "manage.py", *line.split()] for line in timers]
    managed = [command[2:] for command in commands if command[:2] == ["python", "manage.py"]]
    assert {command[0] for command in managed} >= {"migrate", "selfreg_recover", "selfreg_purge", "selfreg_doctor"}
    for name, *options in managed:
        app = "selfreg" if name.startswith("selfreg") else "django.core"
        load_command_class(app, name).create_parser("manage.py", name).parse_args(options)


# ---- the image


def copy(rest: str, target: Path) -> None:
    """Do what a COPY from the repository does, and fail for files excluded by .dockerignore."""
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    *sources, place = rest.split()
    for source in sources:
        assert any(source == path or source.startswith(f"{path}/") for path in allowed), f"{source} is ignored"
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target / place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder = target / place if place.endswith("/") else (target / place).parent
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, folder)


def build_image(target: Path) -> None:
    """Run the steps of the first stage in a folder. Packages come from this test's environment."""
    for word, rest in stages()[0]:
        if word == "COPY":
            copy(rest, target)
        elif word == "RUN" and "pip install" in rest:
            site = next((target / ".venv" / "lib").glob("python*")) / "site-packages"
            (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
        elif word == "RUN" and "compileall" not in rest:
            command = re.sub("^python -m venv", f"{shlex.quote(sys.executable)} -m venv --without-pip", rest)
            subprocess.run(["sh", "-c", command], cwd=target, check=True, env={"PATH": os.environ["PATH"]})


def tree(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_size) for path in folder.rglob("*") if not path.is_symlink()}


@pytest.mark.slow
def test_image_builds_passes_its_health_check_and_runs_read_only(tmp_path: Path) -> None:
    target, state = tmp_path / "site", tmp_path / "tmp"
    target.mkdir()
    state.mkdir()
    build_image(target)
    assert (target / "staticfiles").is_dir()
    assert not list(target.rglob("*.env")) + list((target / "selfreg").rglob("test_*"))
    for path in target.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    before = tree(target)
    last = stages()[-1]
    values = dict(re.findall(r"(\w+)=(\S+)", dict(last)["ENV"]))
    port = free_port()
    environment = {
        **{name: value.replace(IMAGE_FOLDER, str(target)) for name, value in values.items() if name != "PATH"},
        "PATH": f"{target}/.venv/bin:{os.environ['PATH']}",
        "TMPDIR": str(state),
        "DATABASE_URL": f"sqlite:///{state}/db.sqlite3",
        "CACHE_URL": "locmemcache://",
        "BIND": f"{HOST}:{port}",
        "WEB_CONCURRENCY": "1",
        **PRODUCTION,
    }
    subprocess.run(["python", "manage.py", "migrate", "-v", "0"], cwd=target, env=environment, check=True)
    command = [str(word) for word in yaml.safe_load(dict(last)["CMD"])]
    server = subprocess.Popen(
        command, cwd=target, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(server, f"http://{HOST}:{port}/signup/health/ready")
        check = yaml.safe_load(dict(last)["HEALTHCHECK"].partition("CMD ")[2])
        health_check = [str(word).replace("127.0.0.1:8000", f"{HOST}:{port}") for word in check]
        assert subprocess.run(health_check, env=environment, check=False).returncode == 0
        headers = {"Host": "site.example"}
        redirect = requests.get(f"http://{HOST}:{port}/", headers=headers, timeout=30, allow_redirects=False)
        assert (redirect.status_code, redirect.headers["Location"]) == (301, "https://site.example/")
    finally:
        end(server)
    assert subprocess.run(health_check, env=environment, check=False, stderr=subprocess.DEVNULL).returncode != 0
    assert tree(target) == before


def test_image_runs_as_unprivileged_user() -> None:
    words = [word for word, _rest in stages()[-1]]
    assert words.index("USER") < words.index("CMD")
    assert dict(stages()[-1])["USER"] not in ("0", "root")


def test_timers_start_each_command_on_schedule_and_stop_at_sigterm(tmp_path: Path) -> None:
    log = tmp_path / "log"
    (tmp_path / "python").write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    (tmp_path / "python").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TIMERS_SECONDS": "0"}
    timers = subprocess.Popen(["sh", str(DEPLOY / "timers.sh")], env=environment)
    deadline = time.monotonic() + 60
    while not log.exists() or log.read_text().count("selfreg_purge") < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    timers.send_signal(signal.SIGTERM)
    assert timers.wait(30) == 0
    lines = log.read_text().splitlines()
    first = lines.index("manage.py selfreg_purge", 2)
    doctor = "manage.py selfreg_doctor --fail-level warning"
    assert lines[:3] == ["manage.py selfreg_recover", "manage.py selfreg_purge", doctor]
    assert lines[:first].count("manage.py selfreg_recover") == 13
