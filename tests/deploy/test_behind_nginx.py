"""The shipped nginx and gunicorn configuration in operation: TLS, logs, metrics, and killed workers."""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.cluster.machines import Machine
from benchmarks.cluster.proxy import NAME, Proxy, nginx, running_proxy
from benchmarks.servers import HOST, SITE, Server, Site, running_site
from benchmarks.visitor import Visitor

TOKEN = "token-of-prometheus-Zq7tXv3kLm9w"

pytestmark = pytest.mark.slow


@dataclass
class Running:
    """A running nginx with one gunicorn behind it."""

    site: Site
    proxy: Proxy
    server: Server
    logs: Path

    @property
    def direct(self) -> str:
        return self.server.address

    def get(self, path: str, **options: Any) -> requests.Response:
        trusted = str(self.proxy.certificate)
        return requests.get(self.proxy.url + path, headers={"Host": NAME}, verify=trusted, timeout=60, **options)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    if not nginx():
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("site")
    folder.chmod(0o755)
    database = f"sqlite:///{folder}/db.sqlite3"
    with running_site(database, folder, servers=0, SELFREG_METRICS_TOKEN=TOKEN, LOG_FORMAT="json") as site:
        server = site.start(2, 4, ACCESS_LOG=str(folder / "gunicorn.log"))
        # Listed twice, so that nginx retries.
        upstreams = [server.address.removeprefix("http://")] * 2
        with running_proxy(Machine("this", HOST), upstreams, folder) as proxy:
            yield Running(site, proxy, server, folder)


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        try:
            if condition():
                return
        except requests.RequestException:
            pass
        time.sleep(0.05)
    raise AssertionError("the condition did not become true")


def test_form_is_served_through_nginx(running: Running) -> None:
    response = running.get("/signup/")
    assert response.status_code == 200
    assert "Create your account" in response.text
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])


def test_access_logs_contain_no_query(running: Running) -> None:
    running.get("/signup/verify/?otp=canary-otp&state=canary-state")
    logs = [running.logs / name for name in ("gunicorn.log", "access.log")]
    wait_until(lambda: all("/signup/verify/" in log.read_text() for log in logs))
    for log in running.logs.glob("*.log"):
        assert "canary" not in log.read_text(), log.name


def test_paths_cannot_forge_lines_or_fields_of_an_access_log(running: Running) -> None:
    response = running.get("/begin%0Aforged%0D%C2%85%E2%80%A8%22%20200%20/end")
    assert response.status_code == 404
    logs = [running.logs / name for name in ("gunicorn.log", "access.log")]
    wait_until(lambda: all(b"/end" in log.read_bytes() for log in logs))
    for log in logs:
        (line,) = (line for line in log.read_bytes().decode().splitlines() if "/end" in line)
        assert "/begin" in line
        assert line.count('"') == 2


def test_metrics_are_not_reachable_through_nginx(running: Running) -> None:
    assert running.get("/signup/metrics").status_code == 404
    response = requests.get(
        f"{running.direct}/signup/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
    )
    assert response.status_code == 200
    assert requests.get(f"{running.direct}/signup/health/ready", timeout=30).json()["status"] == "ok"


def test_metrics_are_added_up_over_all_workers(running: Running) -> None:
    def pages() -> float:
        text = requests.get(
            f"{running.direct}/signup/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
        ).text
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        return sum(
            s.value
            for s in samples
            if s.name == "selfreg_request_seconds_count" and s.labels["view"] == "selfreg:start"
        )

    before = pages()
    for _ in range(20):
        running.get("/signup/")
    assert {pages() for _ in range(6)} == {before + 20}


def test_requests_to_killed_workers_are_retried_or_get_an_error_page(running: Running) -> None:
    """One worker is killed repeatedly, and once both at the same time."""
    statuses = []
    for number in range(30):
        for pid in running.server.workers()[: 2 if number == 15 else 1] if number % 5 == 0 else []:
            os.kill(pid, signal.SIGKILL)
        response = running.get("/signup/step/", allow_redirects=False)
        statuses.append(response.status_code)
        if response.status_code not in (200, 302):
            assert response.status_code == 503
            assert response.headers["Retry-After"]
            assert 'href="/signup/step/"' in response.text
            assert "nginx" not in response.text
    wait_until(lambda: running.get("/signup/").status_code == 200)
    assert statuses.count(302) > 15


def test_registration_survives_a_worker_killed_during_the_first_form(running: Running) -> None:
    """The org has created the account, and the browser has not got a response yet."""
    org, path = running.site.org, "/idp/idx/enroll/new"
    visitor = Visitor(
        "ada@example.com", "127.0.1.1", SITE, [running.proxy.url], org.code, Counter(), clumsy=0.0,
        certificate=str(running.proxy.certificate),
    )  # fmt: skip
    visitor.opens("/signup/")
    before = len(org.ask("GET", f"calls?path={path}"))
    org.fail(path, "slow", seconds=60)
    with ThreadPoolExecutor(1) as pool:
        submission = pool.submit(visitor.goes_on)
        wait_until(lambda: len(org.ask("GET", f"calls?path={path}")) > before)
        for worker in running.server.workers():
            os.kill(worker, signal.SIGKILL)
        submission.result()
    visitor.signs_on(time.monotonic() + 300)
    assert visitor.is_signed_in
    assert len(org.ask("GET", f"calls?path={path}")) == before + 1
    assert not any("already an account" in words for words in visitor.trail)
