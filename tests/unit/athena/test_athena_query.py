import boto3
import pytest
from botocore.stub import Stubber

from appstore_analytics.athena.query import Athena
from appstore_analytics.contract.errors import QueryFailed, QueryInterrupted
from appstore_analytics.contract.names import Database, Names


@pytest.fixture(scope="module")
def client():
    return boto3.client("athena", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def run(client, statuses, pages=(), count_bytes=lambda _: None):
    """The rows and the pauses; the stub checks every parameter."""
    pauses, asked = [], {"QueryExecutionId": "q"}
    started = {"QueryString": "SELECT 1", "WorkGroup": "w", "QueryExecutionContext": {"Database": "d"}}
    with Stubber(client) as stub:
        stub.add_response("start_query_execution", asked, started)
        for status in statuses:
            execution = {"Status": status, "Statistics": {"DataScannedInBytes": 4096}}
            stub.add_response("get_query_execution", {"QueryExecution": execution}, asked)
        for number, rows in enumerate(pages):
            answer = {"ResultSet": {"Rows": [{"Data": row} for row in rows]}}
            more = {"NextToken": str(number + 1)} if number + 1 < len(pages) else {}
            token = {"NextToken": str(number)} if number else {}
            stub.add_response("get_query_results", answer | more, asked | token)
        athena = Athena(client, "w", {Database.CURATED: "d"}, pauses.append, count_bytes)
        rows = list(athena.rows("SELECT 1", Database.CURATED))
        stub.assert_no_pending_responses()
    return rows, pauses


def cell(text):
    return {"VarCharValue": text}


def test_all_pages_are_read_without_the_header_and_null_is_none(client):
    states = [{"State": "QUEUED"}, *[{"State": "RUNNING"}] * 12, {"State": "SUCCEEDED"}]
    pages = [[[cell("a"), cell("b")], [cell("1"), {}]], [[cell("2"), cell("")]]]
    rows, pauses = run(client, states, pages)
    assert rows == [("1", None), ("2", "")]
    assert len(pauses) == 13
    assert pauses == sorted(pauses)
    assert max(pauses) == 2.0


def test_the_bytes_of_a_query_are_counted_once_it_has_succeeded(client):
    scanned = []
    run(client, [{"State": "RUNNING"}, {"State": "SUCCEEDED"}], [[[cell("a")]]], scanned.append)
    assert scanned == [4096]


def test_a_query_that_fails_says_why(client):
    with pytest.raises(QueryFailed, match="SYNTAX_ERROR"):
        run(client, [{"State": "FAILED", "StateChangeReason": "SYNTAX_ERROR: line 1"}])


class Workgroup:
    """Athena with prepared states: each request gets the next list of states; the last state is repeated."""

    def __init__(self, *asks):
        self.asks = list(asks)
        self.started, self.stopped, self.pauses = [], [], []

    def start_query_execution(self, **_):
        self.started.append(f"q{len(self.started)}")
        return {"QueryExecutionId": self.started[-1]}

    def get_query_execution(self, **of):
        states = self.asks[int(of["QueryExecutionId"][1:])]
        state = states.pop(0) if len(states) > 1 else states[0]
        return {"QueryExecution": {"Status": {"State": state}, "Statistics": {"DataScannedInBytes": 1}}}

    def stop_query_execution(self, **of):
        self.stopped.append(of["QueryExecutionId"])

    def get_paginator(self, _):
        return self

    def paginate(self, **_):
        return [{"ResultSet": {"Rows": [{"Data": [cell("n")]}, {"Data": [cell("7")]}]}}]

    def seconds_left(self, of=300.0):
        return of - sum(self.pauses)

    def rows(self):
        athena = Athena(self, "w", Names().databases, self.pauses.append, seconds_left=self.seconds_left)
        return list(athena.rows("SELECT 1", Database.CURATED))


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING"])
def test_a_query_that_is_stuck_is_stopped_and_asked_again(client, state):
    workgroup = Workgroup([state], ["QUEUED", "RUNNING", "SUCCEEDED"])
    assert workgroup.rows() == [("7",)]
    assert (workgroup.started, workgroup.stopped) == (["q0", "q1"], ["q0"])


def test_a_cancelled_query_is_asked_again(client):
    workgroup = Workgroup(["RUNNING", "CANCELLED"], ["CANCELLED"], ["SUCCEEDED"])
    assert workgroup.rows() == [("7",)]
    assert (len(workgroup.started), workgroup.stopped) == (3, [])


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "CANCELLED"])
def test_a_query_that_is_never_answered_is_a_verdict_within_the_functions_time(client, state):
    workgroup = Workgroup([state], [state], [state])
    with pytest.raises(QueryFailed, match=f"in 3 attempts; the last one was {state}: see the workgroup's queries"):
        workgroup.rows()
    assert workgroup.stopped == ([] if state == "CANCELLED" else workgroup.started)
    assert workgroup.seconds_left() > 10


def test_with_no_time_left_a_query_is_still_asked_and_stopped(client):
    workgroup = Workgroup(["QUEUED"], ["QUEUED"], ["QUEUED"])
    workgroup.pauses.append(299.0)
    with pytest.raises(QueryFailed):
        workgroup.rows()
    assert workgroup.stopped == workgroup.started


@pytest.mark.parametrize(
    "status",
    [
        {"StateChangeReason": "HIVE_CANNOT_OPEN_SPLIT: gone"},
        {"StateChangeReason": "HIVE_CURSOR_ERROR: gone"},
        {"StateChangeReason": "HIVE_FILESYSTEM_ERROR: gone"},
        {"StateChangeReason": "NoSuchKey"},
        {"AthenaError": {"Retryable": True}},
    ],
)
def test_a_query_over_a_replaced_object_is_interrupted(client, status):
    with pytest.raises(QueryInterrupted):
        run(client, [{"State": "FAILED", **status}])
