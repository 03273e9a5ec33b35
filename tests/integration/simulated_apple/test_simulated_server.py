import http.client
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import jwt
import pytest
import requests

from local.apple import Fault, FaultKind, SimulatedApple, World, WorldSettings

ROOT = Path(__file__).parents[3]


@pytest.fixture
def apple():
    with SimulatedApple(World(WorldSettings(today=date(2026, 6, 1), rows_per_date=10))) as apple:
        yield apple


@pytest.fixture
def session(apple, client):
    client.sign_in(apple.world.admin_key)
    with requests.Session() as session:
        session.headers.update(client.session.headers)
        yield session


def body(app_id: str) -> dict[str, object]:
    return {
        "data": {
            "type": "analyticsReportRequests",
            "attributes": {"accessType": "ONGOING"},
            "relationships": {"app": {"data": {"type": "apps", "id": app_id}}},
        }
    }


def test_the_way_from_request_to_file_over_a_socket(apple, session):
    request_id = session.post(f"{apple.url}/v1/analyticsReportRequests", json=body("1000000001")).json()["data"]["id"]
    apple.world.advance(1)
    reports = session.get(
        f"{apple.url}/v1/analyticsReportRequests/{request_id}/reports", params={"filter[name]": "App Crashes"}
    ).json()
    instances = session.get(reports["data"][0]["relationships"]["instances"]["links"]["related"]).json()
    segments = session.get(instances["data"][0]["relationships"]["segments"]["links"]["related"]).json()
    url = segments["data"][0]["attributes"]["url"]
    assert url.startswith(apple.url)
    assert len(requests.get(url, timeout=5).content) == segments["data"][0]["attributes"]["sizeInBytes"]


def test_over_a_socket_a_delay_takes_its_time(apple, session, monkeypatch):
    waited = []
    monkeypatch.setattr("local.apple.http.time.sleep", waited.append)
    apple.world.faults.order(Fault(FaultKind.DELAY, seconds=2.5))
    assert session.get(f"{apple.url}/v1/apps").status_code == 200
    assert waited == [2.5]


def test_a_connection_stays_open(apple):
    connection = http.client.HTTPConnection("127.0.0.1", int(apple.url.rpartition(":")[2]))
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/v1/apps")
        answer = connection.getresponse()
        assert (answer.status, answer.version) == (401, 11)
        answer.read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1


def test_many_at_once_create_one_report_request(apple, session):
    def create(_: int) -> int:
        return session.post(f"{apple.url}/v1/analyticsReportRequests", json=body("1000000001")).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(24)))
    assert statuses == [201] + [409] * 23
    assert apple.world.statistics.calls("POST /v1/analyticsReportRequests") == 24


def test_resets_and_truncated_bodies_reach_the_client(apple, session):
    apple.world.faults.order(Fault(FaultKind.RESET))
    with pytest.raises(requests.ConnectionError):
        session.get(f"{apple.url}/v1/apps")
    apple.world.faults.order(Fault(FaultKind.TRUNCATED_BODY))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(f"{apple.url}/v1/apps", timeout=2)
    assert session.get(f"{apple.url}/v1/apps").status_code == 200


def test_a_client_that_hangs_up_makes_no_noise(apple, capsys):
    try:
        os.write(-1, b"")
    except OSError:
        apple._server.handle_error(None, ("127.0.0.1", 1))
    assert capsys.readouterr().err == ""


def test_stopping_twice_is_fine_and_the_port_is_closed(apple):
    apple.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{apple.url}/v1/apps", timeout=5)


def test_a_person_can_start_it_and_sign_in_with_the_key_file(tmp_path):
    key_file = tmp_path / "key.p8"
    command = [sys.executable, "-m", "local.apple", "--apps", "2", "--today", "2026-06-01", "--key-file", str(key_file)]
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers/pipeline/python")])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}
    ) as program:
        told = "".join(program.stdout.readline() for _ in range(3))
        url = re.search(r"http://127\.0\.0\.1:\d+", told)[0]
        issuer_id, key_id = re.search(r"issuer id (\S+), key id (\w+)", told).groups()
        assert key_file.stat().st_mode & 0o777 == 0o600
        now = int(time.time())
        party = {"iss": issuer_id, "iat": now, "exp": now + 600, "aud": "appstoreconnect-v1"}
        token = jwt.encode(party, key_file.read_text(), "ES256", {"kid": key_id})
        answer = requests.get(f"{url}/v1/apps", headers={"Authorization": f"Bearer {token}"}, timeout=5)
        assert len(answer.json()["data"]) == 2
        headers = {"Authorization": f"Bearer {token}"}

        def data(path, **query):
            return requests.get(f"{url}/v1/{path}", params=query, headers=headers, timeout=5).json()["data"]

        (request,) = data("apps/1000000001/analyticsReportRequests")  # requested a week ago: there is data at once
        (report,) = data(f"analyticsReportRequests/{request['id']}/reports", **{"filter[name]": "App Crashes"})
        built = [each["attributes"]["processingDate"] for each in data(f"analyticsReports/{report['id']}/instances")]
        assert {f"2026-05-{day}" for day in range(26, 32)} | {"2026-06-01"} <= set(built)
        program.send_signal(signal.SIGINT)
        assert program.wait(10) == 0
