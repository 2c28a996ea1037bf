"""The shipped nginx site and gunicorn settings, as they run: TLS, and workers that are killed again and again."""

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
    """nginx and one gunicorn behind it."""

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
        # Twice, so that nginx has a second try.
        upstreams = [server.address.removeprefix("http://")] * 2
        with running_proxy(Machine("this", HOST), upstreams, folder) as proxy:
            yield Running(site, proxy, server, folder)


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        try:
            if condition():
                return
        except requests.RequestException:
            pass
        time.sleep(0.05)
    raise AssertionError("it did not become true")


def test_the_form_comes_through(running: Running) -> None:
    answer = running.get("/signup/")
    assert answer.status_code == 200
    assert "Create your account" in answer.text
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_no_query_is_logged_anywhere(running: Running) -> None:
    running.get("/signup/verify/?otp=canary-otp&state=canary-state")
    logs = [running.logs / name for name in ("gunicorn.log", "access.log")]
    until(lambda: all("/signup/verify/" in log.read_text() for log in logs))
    for log in running.logs.glob("*.log"):
        assert "canary" not in log.read_text(), log.name


def test_no_path_makes_a_line_or_a_field_of_its_own_in_a_log(running: Running) -> None:
    answer = running.get("/begin%0Aforged%0D%C2%85%E2%80%A8%22%20200%20/end")
    assert answer.status_code == 404
    logs = [running.logs / name for name in ("gunicorn.log", "access.log")]
    until(lambda: all(b"/end" in log.read_bytes() for log in logs))
    for log in logs:
        (line,) = (line for line in log.read_bytes().decode().splitlines() if "/end" in line)
        assert "/begin" in line
        assert line.count('"') == 2


def test_metrics_and_probes_are_for_the_servers_own_network(running: Running) -> None:
    assert running.get("/signup/metrics").status_code == 404
    answer = requests.get(f"{running.direct}/signup/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
    assert answer.status_code == 200
    assert requests.get(f"{running.direct}/signup/health/ready", timeout=30).json()["status"] == "ok"


def test_the_counters_of_all_workers_are_added_up(running: Running) -> None:
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


def test_killed_workers_are_no_bare_error(running: Running) -> None:
    """While at least one of them is being replaced, again and again, and once both at the same time."""
    seen = []
    for number in range(30):
        for pid in running.server.workers()[: 2 if number == 15 else 1] if number % 5 == 0 else []:
            os.kill(pid, signal.SIGKILL)
        answer = running.get("/signup/step/", allow_redirects=False)
        seen.append(answer.status_code)
        if answer.status_code not in (200, 302):
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
            assert 'href="/signup/step/"' in answer.text
            assert "nginx" not in answer.text
    until(lambda: running.get("/signup/").status_code == 200)
    assert seen.count(302) > 15


def test_a_worker_that_dies_with_the_first_form_costs_nobody_the_registration(running: Running) -> None:
    """The org has made the account, and the browser knows nothing of its registration yet."""
    org, path = running.site.org, "/idp/idx/enroll/new"
    visitor = Visitor(
        "ada@example.com", "127.0.1.1", SITE, [running.proxy.url], org.code, Counter(), clumsy=0.0,
        certificate=str(running.proxy.certificate),
    )  # fmt: skip
    visitor.opens("/signup/")
    before = len(org.ask("GET", f"calls?path={path}"))
    org.fail(path, "slow", seconds=60)
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(visitor.goes_on)
        until(lambda: len(org.ask("GET", f"calls?path={path}")) > before)
        for worker in running.server.workers():
            os.kill(worker, signal.SIGKILL)
        going.result()
    visitor.signs_on(time.monotonic() + 300)
    assert visitor.is_signed_in
    assert len(org.ask("GET", f"calls?path={path}")) == before + 1
    assert not any("already an account" in words for words in visitor.trail)
