"""System deliveries: whose token, which file, how large, and nothing doubled however often it is sent."""

from __future__ import annotations

import datetime as dt
import io
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from town import absences_csv, residents_csv

from kodomo.configuration import Home, Municipality, read_municipality
from kodomo.errors import Busy, NotReady, WrongUsage
from kodomo.intake import endpoint
from kodomo.intake.endpoint import Endpoint, arrivals, new_token, revoke_token, serving
from kodomo.intake.limits import Limits

NAME = "住民_20260401.csv"
BODY = b"0,1,2\n"


@pytest.fixture
def municipality(town: Path) -> Municipality:
    return read_municipality(town)


@pytest.fixture
def token(home: Home, municipality: Municipality) -> str:
    return new_token(home, municipality, "residents", None)


class Desk:
    """Stands in for receiving: keeps what it was given and answers as told."""

    def __init__(self) -> None:
        self.given: list[tuple[str, bytes, str]] = []
        self.answer: tuple[HTTPStatus, dict[str, Any]] = HTTPStatus.CREATED, {"state": "landed", "rows_landed": 3}

    def __call__(self, path: Path, source: str) -> tuple[HTTPStatus, dict[str, Any]]:
        self.given.append((path.name, path.read_bytes(), source))
        return self.answer


@pytest.fixture
def desk() -> Desk:
    return Desk()


Post = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def app(home: Home, municipality: Municipality, desk: Desk) -> Endpoint:
    return Endpoint(home, municipality, desk, Limits(file_bytes=1000), today=lambda: dt.date(2026, 4, 1))


@pytest.fixture
def post(app: Endpoint, token: str) -> Post:
    def posting(
        body: bytes = BODY, *, name: str = NAME, key: str = "k1", source: str = "residents", **more: Any
    ) -> Any:
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": f"/deliveries/{source}", "QUERY_STRING": f"name={quote(name)}",
            "HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_IDEMPOTENCY_KEY": key, "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body), **more,
        }  # fmt: skip
        told: list[str] = []
        content = b"".join(app(environ, lambda status, headers: told.append(status)))
        return int(told[0].split()[0]), json.loads(content)

    return posting


def test_a_file_is_handed_on_whole_under_its_name_and_nothing_stays(home: Home, post: Post, desk: Desk) -> None:
    assert post() == (201, {"state": "landed", "rows_landed": 3})
    assert desk.given == [(NAME, BODY, "residents")]
    assert list(arrivals(home).rglob("*")) == []


def test_the_same_key_and_file_again_has_one_effect(post: Post, desk: Desk) -> None:
    post()
    status, answer = post()
    assert (status, answer["again"], answer["rows_landed"], len(desk.given)) == (200, True, 3, 1)


def test_the_same_key_with_another_file_is_refused(post: Post, desk: Desk) -> None:
    post()
    assert post(BODY + b"3,4,5\n")[0] == 409 and len(desk.given) == 1


def test_a_refusal_is_kept_with_its_key_and_a_failure_is_not(post: Post, desk: Desk) -> None:
    desk.answer = HTTPStatus.INTERNAL_SERVER_ERROR, {"state": "failed", "what": "", "then": ""}
    assert post()[0] == 500
    desk.answer = HTTPStatus.UNPROCESSABLE_ENTITY, {"state": "refused"}
    assert post()[0] == 422 and post()[0] == 422 and len(desk.given) == 2


@pytest.mark.parametrize(("changed", "status"), [
    ({"HTTP_AUTHORIZATION": ""}, 401),
    ({"HTTP_AUTHORIZATION": "Bearer wrong"}, 401),
    ({"HTTP_AUTHORIZATION": "Basic abc"}, 401),
    ({"HTTP_IDEMPOTENCY_KEY": ""}, 400),
    ({"HTTP_IDEMPOTENCY_KEY": "a b"}, 400),
    ({"HTTP_IDEMPOTENCY_KEY": "x" * 201}, 400),
    ({"QUERY_STRING": ""}, 400),
    ({"QUERY_STRING": "name=" + quote("../住民_20260401.csv")}, 400),
    ({"QUERY_STRING": "name=" + quote("住民_\x00.csv")}, 400),
    ({"QUERY_STRING": "name=" + quote("知らない.csv")}, 422),
    ({"QUERY_STRING": "name=" + quote("出欠_20260401.csv")}, 422),
    ({"CONTENT_LENGTH": ""}, 411),
    ({"CONTENT_LENGTH": "-5"}, 400),
    ({"CONTENT_LENGTH": "1001"}, 413),
    ({"CONTENT_LENGTH": str(len(BODY) + 1)}, 400),
    ({"REQUEST_METHOD": "GET"}, 405),
    ({"PATH_INFO": "/deliveries/../keys"}, 404),
    ({"PATH_INFO": "/"}, 404),
])  # fmt: skip
def test_what_is_not_as_agreed_reaches_nobody(home: Home, post: Post, desk: Desk, changed: dict[str, str], status: int) -> None:  # fmt: skip
    answered, answer = post(**changed)
    assert answered == status and answer["state"] == "refused" and answer["what"]
    assert desk.given == [] and not [p for p in arrivals(home).rglob("*") if p.is_file()]


def test_one_sources_token_opens_no_other_source(post: Post, desk: Desk) -> None:
    assert post(source="absences", name="出欠_20260401.csv")[0] == 403 and desk.given == []


def test_guessing_is_stopped_for_a_minute(app: Endpoint, post: Post) -> None:
    moment = [100.0]
    app.clock = lambda: moment[0]
    for _ in range(endpoint.FAILURES):
        assert post(HTTP_AUTHORIZATION="Bearer guess")[0] == 401
    assert post()[0] == 429
    moment[0] += 61
    assert post()[0] == 201


def test_a_token_ends_on_its_day_or_when_it_is_revoked(home: Home, municipality: Municipality, post: Post) -> None:
    until = new_token(home, municipality, "residents", dt.date(2026, 4, 1))
    assert post(HTTP_AUTHORIZATION=f"Bearer {until}")[0] == 401
    fresh = new_token(home, municipality, "residents", dt.date(2026, 4, 2))
    assert post()[0] == 401 and post(HTTP_AUTHORIZATION=f"Bearer {fresh}")[0] == 201
    revoke_token(home, "residents")
    assert post(HTTP_AUTHORIZATION=f"Bearer {fresh}", key="k2")[0] == 401
    with pytest.raises(NotReady):
        revoke_token(home, "residents")


def test_tokens_lie_hashed_and_readable_by_their_owner_alone(home: Home, token: str) -> None:
    path = home.keys / "delivery-tokens.json"
    assert token not in path.read_text() and path.stat().st_mode & 0o077 == 0


def test_only_known_sources_get_a_token(home: Home, municipality: Municipality) -> None:
    with pytest.raises(WrongUsage):
        new_token(home, municipality, "nobody", None)


def test_a_second_delivery_at_the_same_time_is_asked_to_wait(app: Endpoint, post: Post, desk: Desk) -> None:
    whole = desk.__call__

    def meanwhile(path: Path, source: str) -> Any:
        assert post(key="k2")[0] == 503
        return whole(path, source)

    app.receive = meanwhile
    assert post()[0] == 201


def test_one_endpoint_serves_a_home_and_clears_what_a_killed_one_left(home: Home) -> None:
    left = arrivals(home) / "x" / NAME
    left.parent.mkdir(parents=True)
    left.write_bytes(BODY)
    with serving(home):
        assert not left.exists()
        with pytest.raises(Busy), serving(home):
            pass


@pytest.fixture
def served(home: Home, town: Path, token: str, socket_enabled: Any) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "kodomo", "--home", str(home.root), "--municipality", str(town), "endpoint", "serve",
             "--port", str(port)]  # fmt: skip
    server = subprocess.Popen(words, stderr=subprocess.PIPE)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(address + "/health", timeout=2).close()  # noqa: S310 - loopback
            break
        except OSError:
            time.sleep(0.1)
    yield address
    server.send_signal(signal.SIGTERM)
    server.wait(60)


def send(address: str, token: str, source: str, name: str, body: bytes, key: str) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address}/deliveries/{source}?name={quote(name)}", data=body,
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": key},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


@pytest.mark.enable_socket
def test_a_real_server_lands_real_files_once(served: str, home: Home, municipality: Municipality, token: str) -> None:
    other = new_token(home, municipality, "absences", None)
    residents = residents_csv("1,架空 花,R5.4.1,町,", "2,架空 実,R5.5.1,町,")
    absences = absences_csv("11,架空 花,202604,2,0")
    status, report = send(served, token, "residents", NAME, residents, "r-1")
    assert status == 201 and report["rows_landed"] == 2
    assert send(served, token, "residents", NAME, residents, "r-1")[0] == 200
    status, again = send(served, token, "residents", NAME, residents, "r-2")
    assert (status, again["code"]) == (200, "same_file")
    assert send(served, other, "absences", "出欠_20260401.csv", b"PK\x03\x04" + bytes(50), "a-1")[0] == 422
    assert send(served, other, "absences", "出欠_20260401.csv", absences, "a-2")[0] == 201
    from kodomo.vault.database import open_vault
    from kodomo.vault.records import receipts

    open_vault(home)
    assert [(r.source, r.medium, r.received_by.endswith(f"({r.source})")) for r in receipts()] == [
        ("residents", "SYSTEM", True), ("absences", "SYSTEM", True)]  # fmt: skip
    assert not [p for p in arrivals(home).rglob("*") if p.is_file()] and not any((home.handover / "incoming").iterdir())
