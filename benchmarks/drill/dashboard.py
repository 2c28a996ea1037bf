"""What the panels of the shipped dashboard show, and which of the shipped alerts fire: asked of a real Prometheus.

Minutes become seconds: the expressions and rules are the shipped ones with shorter windows.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import requests
import yaml

from benchmarks.drill.runbook import Series
from benchmarks.servers import HOST, ROOT, end, free_port, wait_for_port

DEPLOY = ROOT / "deploy"
WINDOW_SECONDS = 20
WINDOW, PAUSE = re.compile(r"\[\d+[mhd]\]"), re.compile(r"\d+[smh]")


def quickened(expression: str) -> str:
    """The expression with every window as long as the drill's."""
    return WINDOW.sub(f"[{WINDOW_SECONDS}s]", expression)


def panels() -> dict[str, list[str]]:
    """Title of each panel -> its expressions."""
    found = json.loads((DEPLOY / "grafana" / "selfreg.json").read_text())["panels"]
    return {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in found}


def is_installed() -> bool:
    return shutil.which("prometheus") is not None


@dataclass(frozen=True)
class Dashboard:
    """A Prometheus that asks the site every second."""

    url: str

    def shown(self) -> dict[str, Series]:
        """Title of each panel -> its series of now."""
        return {
            title: [series for expression in expressions for series in self.query(expression)]
            for title, expressions in panels().items()
        }

    def query(self, expression: str) -> Series:
        answer = requests.get(f"{self.url}/api/v1/query", params={"query": quickened(expression)}, timeout=60)
        answer.raise_for_status()
        return [(found["metric"], float(found["value"][1])) for found in answer.json()["data"]["result"]]

    def alerts(self) -> set[str]:
        """The names of those that fire."""
        answer = requests.get(f"{self.url}/api/v1/alerts", timeout=60)
        answer.raise_for_status()
        found = answer.json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}

    def link(self, title: str) -> str:
        """Where a browser sees a panel's first expression."""
        return f"{self.url}/graph?g0.range_input=2m&g0.tab=0&g0.expr={quote(quickened(panels()[title][0]))}"


@contextmanager
def running_prometheus(server: str, token: str, folder: Path) -> Iterator[Dashboard]:
    """With the shipped configuration and rules.

    :param server: ``host:port`` of the site
    :param folder: for its files
    """
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = config["scrape_configs"]
    job["static_configs"] = [{"targets": [server]}]
    job["authorization"] = {"credentials": token}
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    for rule in rules["groups"][0]["rules"]:
        rule["expr"] = quickened(rule["expr"])
        if "for" in rule:
            rule["for"] = "2s"
    (folder / "alerts.yml").write_text(yaml.safe_dump(rules))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/prometheus",
        f"--web.listen-address={HOST}:{port}",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for_port(HOST, port)
        yield Dashboard(f"http://{HOST}:{port}")
    finally:
        end(process)
