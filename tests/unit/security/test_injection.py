"""External input is never interpreted: an id is one word of a key, a name is data, a cell is a cell."""

import gzip
import io
import json
import re
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from sqlglot import expressions as sql

from appstore_analytics.apple.client import AppStoreConnect
from appstore_analytics.apple.entries import Instance, ReportRequest, Segment
from appstore_analytics.athena.checks import counting_query
from appstore_analytics.athena.kpi_checks import kpi_query
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity
from appstore_analytics.contract.configuration import Account, Configuration
from appstore_analytics.contract.errors import AppleRefused, AppleUnavailable, InputRefused, PipelineError
from appstore_analytics.contract.kpis.stored import amounts_of
from appstore_analytics.contract.layout import TableDate, raw_key, raw_prefix, run_key
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.lake.raw import land_segment
from appstore_analytics.model.items import LandItem, RegisterItem
from appstore_analytics.model.vintage import Vintage
from appstore_analytics.registry.keys import (
    instance_key,
    item_key,
    journal_key,
    parse_instance_key,
    parse_journal_key,
)
from appstore_analytics.rules.execution_input import parse_execution_input
from appstore_analytics.steps.plan_run import plan_run
from local import screens
from local.apple.adapter import APPLE_URL
from local.apple.http import Answer, json_answer
from tests.unit.apple.apple_in_process import APP, Apple, answering
from tests.unit.apple.test_apple_segments import download

DAY = date(2026, 6, 2)
HOSTILE = (
    "",
    "../../../curated/engagement",
    "..",
    "a/b",
    "a\\b",
    "1#REQUEST#ONGOING",
    "1?limit=1",
    "1%2f..%2f2",
    "a\r\nX-Injected: 1",
    "a\x00b",
    "\x1b[2J",
    "1'; DROP TABLE downloads; --",
    '1" OR 1=1',
    "{}",
    "$.Execution",
    "１２３",
    "9" * 5000,
    7,
    None,
    ["1"],
    {"S": "1"},
)
OUTSIDE = st.one_of(st.text(), st.sampled_from(HOSTILE), st.integers(), st.none())
IDS = st.from_regex(r"[A-Za-z0-9]([._-]?[A-Za-z0-9]){0,40}", fullmatch=True)
APP_IDS = st.from_regex(r"[1-9][0-9]{0,17}", fullmatch=True)
REFUSAL = re.compile(
    r"The [a-z ]+ that Apple sent has characters that cannot be part of an S3 key\."
    r"|App Store Connect listed an app whose id is not a number\."
    r"|App Store Connect sent an entry without an id\."
)
ONE_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def listed(identifier: object, **attributes: object) -> Answer:
    return json_answer({"data": [{"type": "any", "id": identifier, "attributes": attributes}]})


def app_ids(client: AppStoreConnect) -> list[str]:
    return list(client.app_names())


def request_ids(client: AppStoreConnect) -> list[str]:
    return [request.id for request in client.report_requests(APP, AccessType.ONGOING)]


def report_ids(client: AppStoreConnect) -> list[str]:
    return [report.id for report in client.reports("r")]


def instance_ids(client: AppStoreConnect) -> list[str]:
    found = client.instances("r", Granularity.DAILY, date(2026, 12, 31))
    for reason in found.refused.values():
        raise AppleRefused(reason)
    return [instance.id for instance in found.listed]


def segment_ids(client: AppStoreConnect) -> list[str]:
    return [segment.id for segment in client.segments("i")]


# Ids in Apple's answers


@pytest.mark.parametrize("ids", [app_ids, request_ids, report_ids, instance_ids, segment_ids])
@given(identifier=OUTSIDE)
def test_an_id_in_an_answer_is_one_word_or_refused(
    ids: Callable[[AppStoreConnect], list[str]], identifier: object
) -> None:
    attributes = {
        "accessType": "ONGOING",
        "name": "App Sessions Standard",
        "granularity": "DAILY",
        "processingDate": "2026-06-02",
        "url": "https://x.amazonaws.com/a",
    }
    client = Apple(answering(listed(identifier, **attributes))).client
    try:
        (taken,) = ids(client)
    except AppleRefused as refused:
        assert REFUSAL.fullmatch(str(refused))
        return
    assert taken == identifier
    assert ONE_WORD.fullmatch(taken)
    assert ".." not in taken
    assert ids is not app_ids or taken.isdigit()


@pytest.mark.parametrize("identifier", HOSTILE)
def test_a_hostile_id_is_refused_wherever_it_stands(identifier: object) -> None:
    client = Apple(answering(listed(identifier, accessType="ONGOING", name="n"))).client
    for ids in (app_ids, request_ids, report_ids):
        with pytest.raises(AppleRefused):
            ids(client)


@given(app_id=APP_IDS, instance=IDS, segment=IDS, built=st.dates())
def test_every_key_has_the_parts_that_the_layout_draws_whatever_the_ids_are(
    app_id: str, instance: str, segment: str, built: date
) -> None:
    raw = raw_key(raw_prefix("downloads", app_id, "ONGOING", built, instance), segment)
    assert raw.split("/") == ["raw", "downloads", app_id, "ONGOING", built.isoformat(), instance, f"{segment}.txt.gz"]
    parts = TableDate("downloads", DAY)
    assert parts.part_key(app_id).split("/") == ["parts", "downloads", "dt=2026-06-02", f"{app_id}.parquet"]
    assert parts.vintage_part_key(app_id, built, instance).count("/") == 4


@given(app_id=APP_IDS, instance=IDS, built=st.dates(), access_type=st.sampled_from(AccessType))
def test_every_registry_key_reads_back_as_it_was_written(
    app_id: str, instance: str, built: date, access_type: AccessType
) -> None:
    vintage = Vintage(built, access_type, instance)
    key = instance_key(app_id, vintage)
    assert key["sk"].split("#") == ["INSTANCE", access_type, built.isoformat(), instance]
    assert parse_instance_key(key) == (app_id, vintage)
    assert item_key(LandItem("run", "main", app_id, vintage))["sk"] == f"LAND#{app_id}#{key['sk']}"
    assert item_key(RegisterItem("run", "main", app_id))["sk"].count("#") == 1
    line = journal_key("run", app_id, vintage, TableDate("downloads", DAY))
    assert parse_journal_key(line) == ("run", app_id, TableDate("downloads", DAY))


# Input from people


@given(st.text(max_size=90))
def test_an_executions_name_is_one_word_of_a_key(name: str) -> None:
    class Apple:
        def app_names(self, app_ids: Sequence[str]) -> dict[str, str]:
            return dict.fromkeys(app_ids, "")

    class Lake:
        key = ""

        def write(self, key: str, *_: object, **__: object) -> None:
            self.key = key

        def folders(self, _: str) -> tuple[str, ...]:
            return ()

    lake = Lake()
    configuration = Configuration(
        (Account("main", (APP,)),), ("App Sessions Standard",), (Granularity.DAILY,), 3500, 30
    )
    moment = datetime(2026, 6, 2, 10, tzinfo=UTC)
    run_id = plan_run(name, moment, {}, configuration, lake, lambda _: Apple())["run_id"]  # type: ignore[arg-type, return-value]
    assert re.fullmatch(r"20260602T100000000Z-[A-Za-z0-9-]{0,40}", run_id)
    assert lake.key == run_key(run_id, "plan.json")
    assert lake.key.count("/") == 2


@given(OUTSIDE, st.sampled_from(["app_ids", "reports", "start_date", "end_date", "as_of", "operation"]))
def test_an_input_is_refused_without_repeating_what_a_terminal_would_obey(value: object, field: str) -> None:
    fitting = {
        "operation": "backfill",
        "app_ids": [APP],
        "reports": ["engagement"],
        "start_date": "2026-05-01",
        "end_date": "2026-05-02",
    }
    listed_value = [value] if field in ("app_ids", "reports") else value
    try:
        parsed = parse_execution_input({**fitting, field: listed_value}, DAY)
    except InputRefused as refused:
        assert str(refused).isascii()
        assert str(refused).isprintable()
        return
    assert all(re.fullmatch("[0-9]{1,18}", app_id) for app_id in parsed.app_ids)


# SQL


def test_a_counting_query_is_one_select_from_its_own_table() -> None:
    for name, table in tables_by_name().items():
        (statement,) = sqlglot.parse(counting_query(table, [DAY, date(2020, 1, 6)]), dialect="athena")
        assert isinstance(statement, sql.Select)
        assert [(found.name, found.db) for found in statement.find_all(sql.Table)] == [(name, "")]
        columns = {"app_id", "dt", *(column.name for column in table.columns)}
        assert {column.name for column in statement.find_all(sql.Column)} <= columns
        words = {word for amount in amounts_of(table) for condition in amount.where for word in condition.words}
        assert {literal.this for literal in statement.find_all(sql.Literal)} == {"2026-06-02", "2020-01-06", *words}


def test_a_query_of_kpis_is_one_select_from_their_table() -> None:
    for table in tables_by_name().values():
        if amounts_of(table):
            (statement,) = sqlglot.parse(kpi_query(table, [DAY]), dialect="athena")
            assert isinstance(statement, sql.Select)
            assert [(found.name, found.db) for found in statement.find_all(sql.Table)] == [("kpis", "")]
            columns = {column.name for column in statement.find_all(sql.Column)}
            assert columns <= {"app_id", "dt", "kpi", "dimension", "amount", "usd"}


def test_every_name_that_sql_is_made_of_is_the_catalogues_and_a_plain_word() -> None:
    tables = tables_by_name().values()
    names = {table.name for table in tables} | {column.name for table in tables for column in table.columns}
    assert len(names) > len(tables)
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []


# Addresses


@given(
    st.one_of(
        st.text(),
        st.builds(
            "{}{}{}{}".format,
            st.sampled_from(["https://", "http://", "//", "HTTPS://", "https:\\\\", "ftp://"]),
            st.sampled_from(["", "user@", "x.amazonaws.com@", "x.amazonaws.com\\@", "x.amazonaws.com#@"]),
            st.sampled_from(
                ["evil.example", "169.254.169.254", "[::1]", "x.amazonaws.com", "xamazonaws.com", "0x7f.1"]
            ),
            st.text(max_size=12),
        ),
    )
)
def test_no_segment_is_fetched_from_a_host_that_is_not_allowed(url: str) -> None:
    wire = answering(Answer(200, b"rows"))
    try:
        download(wire, f"{url}?Signature=s3cr3t")
    except PipelineError as refused:
        assert "s3cr3t" not in str(refused)
    for call in wire.calls:
        assert call["HTTP_HOST"].rpartition("@")[2].partition(":")[0].lower().endswith(".amazonaws.com")
        assert call["wsgi.url_scheme"] == "https"
        assert not any("\n" in str(value) or "\r" in str(value) for name, value in call.items() if name[:5] == "HTTP_")


# Answers that would fill the memory or never end


def test_an_answer_longer_than_any_page_is_refused() -> None:
    endless = b'{"data": [' + b'{"id": "1"},' * (1 << 20) + b'{"id": "1"}]}'
    with pytest.raises(AppleRefused, match="8 MiB"):
        Apple(answering(Answer(200, endless))).client.app_names()


def test_an_answer_that_unpacks_to_more_than_any_page_is_refused() -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    assert len(bomb) < 1 << 20
    with pytest.raises(AppleRefused, match="8 MiB"):
        Apple(answering(Answer(200, bomb, {"Content-Encoding": "gzip"}))).client.app_names()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[" * (8 << 20), "more than 500,000 values"),
        (b'{"a":' * 400_000, "nested deeper than 32 levels"),
        (b'{"data": [' + b"[" * 40 + b"]" * 40 + b"]}", "nested deeper than 32 levels"),
        (b'{"data": [' + b"{}," * (2 << 20) + b"{}]}", "more than 500,000 values"),
        (b'{"data": [' + b"1," * (3 << 20) + b"1]}", "more than 500,000 values"),
    ],
    ids=["arrays", "objects", "just too deep", "empty objects", "numbers"],
)
def test_an_answer_that_would_fill_the_memory_is_refused_before_it_is_read(body: bytes, sentence: str) -> None:
    wire = answering(Answer(200, body))
    tracemalloc.start()
    with pytest.raises(AppleRefused, match=sentence):
        Apple(wire).client.app_names()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 128 << 20


def test_brackets_inside_of_texts_are_no_levels() -> None:
    data = {"id": "r1", "attributes": {"name": '[{"' * 100 + "\\"}}
    body = json.dumps({"data": [data]}).encode()
    for answer in (body, b"\xef\xbb\xbf" + body):
        assert [each.name for each in Apple(answering(Answer(200, answer))).client.reports("r")] == ['[{"' * 100 + "\\"]


@pytest.mark.parametrize("body", [b'"' * 9999, b'{"data": "' + b"\\" * 99_999, b"\xff[", b"[" * 9 + b'"' + b"]" * 9])
def test_an_answer_that_is_not_json_stays_one_that_may_be_asked_again(body: bytes) -> None:
    with pytest.raises(AppleUnavailable, match="not JSON:API"):
        Apple(answering(Answer(200, body))).client.app_names()


def test_pages_without_an_end_are_refused() -> None:
    links = ({"data": [], "links": {"next": f"{APPLE_URL}/v1/apps?page={number}"}} for number in range(2000))
    wire = answering(*(json_answer(page) for page in links))
    with pytest.raises(AppleRefused, match="100 pages"):
        Apple(wire).client.app_names()
    assert len(wire.calls) == 100


@pytest.mark.parametrize(
    "attributes",
    [
        {"checksum": "\x1b[31m"},
        {"checksum": "d41d8cd98f00b204e9800998ecf8427e\n"},
        {"checksum": 5},
        {"sizeInBytes": "12"},
        {"sizeInBytes": [1]},
    ],
)
def test_a_segment_is_listed_with_an_md5_and_a_size_or_refused(attributes: dict[str, object]) -> None:
    answer = listed("s", url="https://x.amazonaws.com/a", **attributes)
    with pytest.raises(AppleRefused, match=r"with an impossible (checksum|sizeInBytes)"):
        Apple(answering(answer)).client.segments("i")


def test_a_download_ends_where_more_arrives_than_was_announced() -> None:
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield b"x" * 10

    class Bucket:
        """No write is allowed."""

    with pytest.raises(PipelineError, match="announces 25 bytes"):
        land_segment(Bucket(), lambda _: "raw/key", endless(), checksum=None, size_bytes=25)  # type: ignore[arg-type]
    assert len(taken) == 3


# The terminal


@pytest.mark.parametrize(
    "text", ["\x1b[2J\x1b]0;title\x07gone", "a\rb", "\x9b31m", "\u202egnp.exe", "[red]no colour[/red]", "[link=x]y"]
)
def test_no_command_reaches_the_terminal(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, color_system=None, width=200, highlight=False)
    monkeypatch.setattr(screens, "console", console)
    screens.say(text)
    screens.show_rows("rows", ["name"], [[text]])
    shown = screen.getvalue()
    assert not set("\x1b\x07\r\x9b\u202e") & set(shown)
    harmless = "".join(character for character in text if character.isprintable())
    assert shown.replace("?", "").count(harmless) == 2


def test_an_error_code_of_apple_is_printable_and_short() -> None:
    code = "\x1b]0;owned\x07" + "é\n" * 200
    answer = json_answer({"errors": [{"status": "422", "code": code}]}, 422)
    with pytest.raises(AppleRefused) as refused:
        Apple(answering(answer)).client.app_names()
    assert str(refused.value).isascii()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 150


def test_what_the_client_answers_shows_no_address() -> None:
    segment = Segment("s", "https://x.amazonaws.com/a?Signature=abc", None, None)
    assert "amazonaws" not in repr(
        (segment, Instance("i", Granularity.DAILY, DAY), ReportRequest("r", AccessType.ONGOING, False))
    )
