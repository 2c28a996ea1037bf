"""Logs, metrics and spans for operators, without secrets and addresses."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from okta_devorg import OrgHandle
from selfreg.boot import warm_up
from selfreg.models import Registration, RegistrationEvent
from selfreg.monitoring import traces
from selfreg.monitoring.events import HINT
from selfreg.monitoring.log import JSONFormatter, LineFormatter
from selfreg.reports import gauges
from support.person import Person

TOKEN = "token-of-prometheus-Zq7tXv3kLm9w"
Lines = list[dict[str, Any]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The parsed lines of the JSON log at level INFO and above."""
    written: Lines = []
    handler, formatter, logger = logging.Handler(logging.INFO), JSONFormatter(), logging.getLogger("selfreg")
    handler.emit = lambda record: written.append(json.loads(formatter.format(record)))  # type: ignore[method-assign]
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


def lines_of(lines: Lines, event: str) -> Lines:
    return [line for line in lines if line["event"] == event]


@pytest.fixture
def scrape(client: Client, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., float]:
    """Returns the value of a metric by name and labels, or 0 if it has no sample."""
    monkeypatch.setattr(gauges, "SECONDS", 0)
    configure(METRICS_TOKEN=TOKEN)

    def value(name: str, **labels: str) -> float:
        answer = client.get("/signup/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        samples = [s for family in families for s in family.samples if s.name == f"selfreg_{name}"]
        return sum(s.value for s in samples if labels.items() <= s.labels.items())

    return value


def test_a_sign_up_logs_one_line_for_each_event(person: Person, org: OrgHandle, lines: Lines) -> None:
    person.signs_up(org)
    row = Registration.objects.get()
    kinds = RegistrationEvent.objects.values_list("kind", flat=True)
    assert [line["event"] for line in lines] == [*(f"registration.{kind}" for kind in kinds), "sign_in.succeeded"]
    assert {line["registration"] for line in lines} == {str(row.pk)}
    for line in lines:
        assert re.fullmatch(r"[0-9a-f]{32}", line["request_id"])
        assert {"time", "level"} < line.keys()
        assert line["logger"] == "selfreg.events"
    submitted = lines_of(lines, "registration.answered")
    assert all(line["step"] and line["outcome"] and line["okta_request_id"] for line in submitted)
    assert any(line.get("milliseconds") is not None for line in submitted)
    assert person.email not in json.dumps(lines)


def test_each_failed_call_and_the_open_circuit_are_logged(
    person: Person, org: OrgHandle, lines: Lines, configure: Callable[..., None]
) -> None:
    configure(FORM_CACHE_SECONDS=60)
    Person("grace@example.com").opens_the_sign_up()  # the form is cached
    person.opens_the_sign_up()
    org.fail("/interact", "status", status=503, times=99)
    calls = len(org.calls("/interact"))
    for _ in range(8):
        assert person.submits_profile().status == 503
    failed = lines_of(lines, "okta.call_failed")
    assert len(failed) == len(org.calls("/interact")) - calls == 5
    for line in failed:
        assert (line["level"], line["status"], line["path"][-9:]) == ("warning", 503, "/interact")
        assert {"milliseconds", "registration", "request_id", "okta_request_id"} < line.keys()
    assert [line["level"] for line in lines_of(lines, "okta.circuit_opened")] == ["error"]


@pytest.mark.parametrize("kind", ["reset", "html", "empty", "timeout"])
def test_a_failed_call_is_logged_with_its_error(person: Person, org: OrgHandle, lines: Lines, kind: str) -> None:
    person.opens_the_sign_up().submits_profile()
    org.fail("/challenge/answer", kind, times=1, seconds=0.0)
    person.types_the_code_from(org)
    (line,) = lines_of(lines, "okta.call_failed")
    assert line["error"] in ("AnswerLost", "MalformedAnswer")
    assert line["path"] == "/idp/idx/challenge/answer"


def test_rate_limit_and_honeypot_refusals_are_logged_and_counted(
    person: Person, org: OrgHandle, lines: Lines, scrape: Callable[..., float]
) -> None:
    limited = scrape("limit_refusals_total", limit="start by address")
    scripts = scrape("form_refusals_total", reason="honeypot")
    for number in range(7):
        other = Person("ada@example.com")
        other.opens_the_sign_up().submits_profile()
        assert number < 5 or "Too many" in other.page.text
    assert {line["limit"] for line in lines_of(lines, "limit.reached")} == {"start by address"}
    assert scrape("limit_refusals_total", limit="start by address") - limited == 2
    person.opens_the_sign_up()
    person.fills_and_presses({"First name": "A", "Last name": "B", "Email": "a@example.com", "leave_this_empty": "x"})
    assert [line["reason"] for line in lines_of(lines, "form.refused")] == ["honeypot"]
    assert scrape("form_refusals_total", reason="honeypot") - scripts == 1


def test_an_unavailable_form_is_logged_with_its_reason_and_counted(
    person: Person, org: OrgHandle, lines: Lines, scrape: Callable[..., float]
) -> None:
    org.patch_policy({"sign_up": False})
    person.opens("/signup/")
    assert [line["reason"] for line in lines_of(lines, f"sign_up.unavailable: {HINT}")]
    assert scrape("unavailable_total") >= 1


def test_metrics_count_the_parts_of_a_sign_up(person: Person, org: OrgHandle, scrape: Callable[..., float]) -> None:
    before = {name: scrape(name) for name in ("started_total", "completed_total")}
    cancelled = scrape("ended_total", kind="cancelled")
    tokens = scrape("okta_calls_total", status="200", path="/oauth2/default/v1/token")
    pages = scrape("request_seconds_count", view="selfreg:step", method="POST", status="302")
    person.signs_up(org)
    Person("grace@example.com").opens_the_sign_up().submits_profile().presses("Cancel sign-up")
    eve = Person("eve@example.com").opens_the_sign_up().submits_profile()
    assert eve.heading == "Check your email"
    assert scrape("started_total") - before["started_total"] == 3
    assert scrape("completed_total") - before["completed_total"] == 1
    assert scrape("ended_total", kind="cancelled") - cancelled == 1
    assert scrape("okta_calls_total", status="200", path="/oauth2/default/v1/token") - tokens == 1
    assert scrape("request_seconds_count", view="selfreg:step", method="POST", status="302") > pages
    assert scrape("step_seconds_count") > 0
    assert scrape("open_registrations", status="enrolling") == 1
    assert scrape("okta_rate_limit_remaining") > 0


def test_metrics_require_the_token(db: None, client: Client, configure: Callable[..., None], settings: Any) -> None:
    assert client.get("/signup/metrics").status_code == 404
    configure(METRICS_TOKEN=TOKEN)
    assert client.get("/signup/metrics").status_code == 401
    assert client.get("/signup/metrics", headers={"Authorization": "Bearer other"}).status_code == 401
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["www.example.com"]
    answer = client.get("/signup/metrics", headers={"Authorization": f"Bearer {TOKEN}", "Host": "10.0.0.7:8000"})
    assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (200, "text/plain")


def test_the_request_id_of_a_trusted_proxy_is_kept(db: None, client: Client, configure: Callable[..., None]) -> None:
    given = {"X-Request-ID": "abcdef-0123456789", "X-Forwarded-For": "192.0.2.1"}
    assert client.get("/", headers=given)["X-Request-ID"] != given["X-Request-ID"]
    configure(TRUSTED_PROXIES=1)
    assert client.get("/", headers=given)["X-Request-ID"] == given["X-Request-ID"]
    assert client.get("/", headers=given | {"X-Request-ID": "a\tb c"})["X-Request-ID"] != "a\tb c"


def test_plain_log_lines_have_the_same_fields_as_json() -> None:
    record = logging.LogRecord("selfreg.events", logging.INFO, "", 0, "registration.started", (), None)
    record.selfreg = {"step": "enroll-profile", "outcome": "two words"}
    text = LineFormatter("{levelname} {name} {message}", style="{").format(record)
    assert text.startswith("INFO selfreg.events registration.started")
    assert 'step=enroll-profile outcome="two words"' in text


LINE_ENDS = "a\nERROR forged\r\n\x1b[2J\u2028x\u202e\u061c\x85\ud800=y step=forged"


@pytest.mark.parametrize("formatter", [LineFormatter("{message}", style="{"), JSONFormatter()], ids=["line", "json"])
def test_input_cannot_forge_log_lines_or_fields(formatter: logging.Formatter) -> None:
    record = logging.LogRecord("selfreg", logging.INFO, "", 0, f"message {LINE_ENDS}", (), None)
    record.selfreg = {"detail": LINE_ENDS}
    text = formatter.format(record)
    assert len(text.encode().splitlines()) == len(text.splitlines()) == 1
    assert not [c for c in text if not c.isprintable()]
    if isinstance(formatter, JSONFormatter):
        assert json.loads(text)["detail"] == LINE_ENDS
    else:
        assert re.findall(r'detail="[^"]* step=forged"', text)


def test_unknown_http_methods_are_counted_as_other(db: None, client: Client, scrape: Callable[..., float]) -> None:
    client.generic("BREWED-BY-ME", "/signup/step/")
    assert scrape("request_seconds_count", view="selfreg:step", method="other") >= 1
    assert scrape("request_seconds_count", method="BREWED-BY-ME") == 0


def test_each_call_to_the_org_has_a_span(person: Person, org: OrgHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces.trace, "get_tracer", lambda name: provider.get_tracer(name))
    person.opens_the_sign_up()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans][:2] == [
        "Okta POST /oauth2/default/v1/interact",
        "Okta POST /idp/idx/introspect",
    ]
    assert spans[0].kind == trace.SpanKind.CLIENT
    assert spans[0].attributes is not None
    assert spans[0].attributes["http.response.status_code"] == 200
    assert spans[0].attributes["okta.request_id"]


def test_a_refusal_without_a_message_key_is_logged_with_its_field(person: Person, org: OrgHandle, lines: Lines) -> None:
    """Okta's message for a failed captcha has no key."""
    org.patch_policy({"captcha": {"type": "HCAPTCHA", "site_key": "key", "accept_token": "solved"}})
    person.opens_the_sign_up()
    person.fills({"userProfile.firstName": "Ada", "userProfile.lastName": "L", "userProfile.email": person.email})
    person.posts("/signup/", {**person.form.data(), **person.entries, "h-captcha-response": "not-solved-canary"})
    (answered,) = lines_of(lines, "registration.answered")
    assert answered["outcome"] == "refused:captchaVerify.captchaToken"
    assert "not-solved-canary" not in json.dumps(lines)


def test_the_warm_up_request_is_not_counted(
    transactional_db: None, person: Person, org: OrgHandle, scrape: Callable[..., float]
) -> None:
    """It is slow, and would distort the dashboard."""
    person.opens_the_sign_up()
    before = scrape("request_seconds_count", view="selfreg:start")
    assert before >= 1
    warm_up()
    assert scrape("request_seconds_count", view="selfreg:start") == before
