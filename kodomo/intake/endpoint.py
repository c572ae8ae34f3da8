"""Deliveries over the closed network: one token per source, the same handover area as for media (identity side).

``POST /deliveries/<source>?name=<file name>`` with the file as the body and the headers
``Authorization: Bearer <token>`` and ``Idempotency-Key: <the sender's own name for this delivery>``.
The answer is JSON: what the report of the delivery says, never a cell's value.

====  =====================================================================================
201   landed
200   the same key and the same file again, or a file that was landed before: nothing was doubled
400   the request is not as described above, or the connection broke before the file was whole
401   no token, or not one of ours (after ``FAILURES`` of them in a minute: 429)
403   the token is another source's
409   the same key with another file
413   larger than a file may be
422   refused, with the reason; nothing landed
503   another delivery is being received: come again
====  =====================================================================================

Each file is received by a process of its own (``kodomo receive``), so a file that kills it kills no
server. The server holds no key of the vault. It speaks plain HTTP: on a network of more than one
machine a TLS proxy stands before it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from kodomo.configuration import Home, Municipality
from kodomo.errors import Busy, DeliveryRefused, NotReady, WrongUsage
from kodomo.intake.delivery import locked
from kodomo.intake.incoming import clear, shred
from kodomo.intake.layout import layout_for, read_layouts
from kodomo.intake.limits import LIMITS, Limits

FAILURES = 10
"""Wrong tokens a minute, of all senders together, before the endpoint stops looking at tokens for a while."""

_PIECE = 1 << 20
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,120}")

Environ = Mapping[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]
Answer = tuple[HTTPStatus, dict[str, Any]]
Receive = Callable[[Path, str], Answer]


# Tokens -----------------------------------------------------------------------------------------


def new_token(home: Home, municipality: Municipality, source: str, expires_on: dt.date | None) -> str:
    """Make the token of a source, in place of the one before; it is shown this once and kept only as a hash.

    Raises:
        WrongUsage: the municipality has no such source.
    """
    if source not in read_layouts(municipality.folder):
        raise WrongUsage("この名前の出所はありません。", where=source, then="sources/ のコードを書いてください。")
    token = secrets.token_urlsafe(32)
    kept = _tokens(home) | {
        source: {"sha256": _hash(token), "expires_on": expires_on.isoformat() if expires_on else None}
    }
    _write(_tokens_file(home), kept)
    return token


def revoke_token(home: Home, source: str) -> None:
    """Take a source's token back at once. Raises NotReady when it has none."""
    kept = _tokens(home)
    if kept.pop(source, None) is None:
        raise NotReady("この出所に鍵(トークン)は渡されていません。", where=source)
    _write(_tokens_file(home), kept)


def _tokens_file(home: Home) -> Path:
    return home.keys / "delivery-tokens.json"


def _tokens(home: Home) -> dict[str, dict[str, Any]]:
    path = _tokens_file(home)
    return json.loads(path.read_text()) if path.exists() else {}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(path: Path, body: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.partial")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        json.dump(body, handle, ensure_ascii=False)
        handle.flush()
        os.fsync(handle.fileno())
    aside.replace(path)


# The application --------------------------------------------------------------------------------


class _Refusal(Exception):
    def __init__(self, status: HTTPStatus, what: str, then: str = "") -> None:
        self.answer = status, {"state": "refused", "what": what, "then": then}


@dataclass
class Endpoint:
    """A WSGI application that takes deliveries and hands each to ``receive(path, source)``."""

    home: Home
    municipality: Municipality
    receive: Receive
    limits: Limits = LIMITS
    clock: Callable[[], float] = time.monotonic
    today: Callable[[], dt.date] = lambda: dt.datetime.now(dt.UTC).date()
    _one: threading.Lock = field(default_factory=threading.Lock)
    _failed: deque[float] = field(default_factory=lambda: deque(maxlen=FAILURES))

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer one request."""
        try:
            status, body = self._answer(environ)
        except _Refusal as refusal:
            status, body = refusal.answer
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = [("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(content))),
                   ("Cache-Control", "no-store")]  # fmt: skip
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append(("Retry-After", "30"))
        start(f"{status.value} {status.phrase}", headers)
        return [content]

    def _answer(self, environ: Environ) -> Answer:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if method == "GET" and path == "/health":
            return HTTPStatus.OK, {"state": "ready"}
        place = re.fullmatch(r"/deliveries/([A-Za-z0-9_]{1,64})", path)
        if not place:
            raise _Refusal(HTTPStatus.NOT_FOUND, "このアドレスはありません。", "POST /deliveries/<出所> です。")
        if method != "POST":
            raise _Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "POST で送ってください。")
        source = place[1]
        self._check_token(environ, source)
        key, name, length = self._check_request(environ, source)
        if not self._one.acquire(blocking=False):
            raise _Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "ほかの受け渡しを処理しています。", "少し待って送り直してください。")  # fmt: skip
        try:
            return self._deliver(environ, source, key, name, length)
        finally:
            self._one.release()

    def _check_token(self, environ: Environ, source: str) -> None:
        now = self.clock()
        if len(self._failed) == FAILURES and now - self._failed[0] < 60:
            raise _Refusal(HTTPStatus.TOO_MANY_REQUESTS, "誤った鍵が続いたため、しばらく受け付けません。")
        scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
        given = _hash(token.strip()) if scheme.lower() == "bearer" else ""
        owner = None
        for name, kept in _tokens(self.home).items():  # all of them, so that the time says nothing
            if hmac.compare_digest(given, kept["sha256"]):
                owner = (name, kept["expires_on"])
        if owner is None or (owner[1] and dt.date.fromisoformat(owner[1]) <= self.today()):
            self._failed.append(now)
            raise _Refusal(HTTPStatus.UNAUTHORIZED, "鍵(トークン)がないか、使えません。", "総括管理主体に新しい鍵を求めてください。")  # fmt: skip
        if owner[0] != source:
            raise _Refusal(HTTPStatus.FORBIDDEN, "この鍵は別の出所のものです。")

    def _check_request(self, environ: Environ, source: str) -> tuple[str, str, int]:
        key = str(environ.get("HTTP_IDEMPOTENCY_KEY", ""))
        if not _KEY.fullmatch(key):
            raise _Refusal(HTTPStatus.BAD_REQUEST, "Idempotency-Key がありません。", "受け渡しごとに別の、200 文字までの半角の名を付けてください。")  # fmt: skip
        name = parse_qs(environ.get("QUERY_STRING", ""), encoding="utf-8", errors="replace").get("name", [""])[0]
        if not _NAME.fullmatch(name) or name.startswith("."):
            raise _Refusal(HTTPStatus.BAD_REQUEST, "ファイル名がないか、使えない文字があります。", "?name= にファイル名を付けてください。")  # fmt: skip
        self._check_layout(name, source)
        try:
            length = int(environ.get("CONTENT_LENGTH") or "")
        except ValueError:
            raise _Refusal(HTTPStatus.LENGTH_REQUIRED, "Content-Length がありません。") from None
        if length > self.limits.file_bytes:
            raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"ファイルは {self.limits.file_bytes:,} バイトまでです。")  # fmt: skip
        if length <= 0:
            raise _Refusal(HTTPStatus.BAD_REQUEST, "ファイルの中身がありません。")
        return key, name, length

    def _check_layout(self, name: str, source: str) -> None:
        try:
            layout = layout_for(name, read_layouts(self.municipality.folder))
        except DeliveryRefused as refusal:
            raise _Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, refusal.what, refusal.then) from None
        if layout.source != source:
            raise _Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "このファイル名は別の出所のレイアウトに合います。", "ファイル名を決められた形に直してください。")  # fmt: skip

    def _deliver(self, environ: Environ, source: str, key: str, name: str, length: int) -> Answer:
        """Take the body in, look whether the key was used, and have it received."""
        named = hashlib.sha256(f"{source}\0{key}".encode()).hexdigest()[:32]
        folder = arrivals(self.home) / named
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / name
        try:
            content = _save(environ["wsgi.input"], path, length)
            book = self.home.handover / "idempotency" / f"{named}.json"
            if book.exists():
                return _again(json.loads(book.read_text()), content)
            status, answer = self.receive(path, source)
            if status in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.UNPROCESSABLE_ENTITY):
                _write(book, {"sha256": content, "status": status.value, "answer": answer})
            return status, answer
        finally:
            shred(path)
            folder.rmdir()


def arrivals(home: Home) -> Path:
    """Where bodies lie while they are received."""
    return home.handover / "arrivals"


def _save(body: Any, path: Path, length: int) -> str:
    """Write exactly the announced bytes; returns their SHA-256."""
    digest, left = hashlib.sha256(), length
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        while left:
            piece = body.read(min(_PIECE, left))
            if not piece:
                raise _Refusal(HTTPStatus.BAD_REQUEST, "途中で切れました。何も取り込んでいません。", "同じ Idempotency-Key で送り直してください。")  # fmt: skip
            digest.update(piece)
            handle.write(piece)
            left -= len(piece)
    return digest.hexdigest()


def _again(kept: Mapping[str, Any], content: str) -> Answer:
    if kept["sha256"] != content:
        raise _Refusal(HTTPStatus.CONFLICT, "この Idempotency-Key は別のファイルに使われています。", "新しい名を付けて送ってください。")  # fmt: skip
    status = HTTPStatus(kept["status"])
    return (HTTPStatus.OK if status is HTTPStatus.CREATED else status), {**kept["answer"], "again": True}


# Receiving --------------------------------------------------------------------------------------


def receive_apart(home: Home, municipality: Municipality) -> Receive:
    """Receive each file by ``kodomo receive`` in a process of its own."""

    def receiving(path: Path, source: str) -> Answer:
        words = [sys.executable, "-m", "kodomo", "--home", str(home.root), "--municipality", str(municipality.folder),
                 "receive", "--json", "--medium", "SYSTEM", "--on-behalf-of", source, str(path)]  # fmt: skip
        ended = subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603
        try:
            return _told(ended.returncode, json.loads(ended.stdout))
        except (ValueError, KeyError, IndexError):
            return HTTPStatus.INTERNAL_SERVER_ERROR, _failed(None)

    return receiving


def _told(exit_code: int, result: Mapping[str, Any]) -> Answer:
    if exit_code == Busy.exit_code:
        return HTTPStatus.SERVICE_UNAVAILABLE, _failed(result.get("error"))
    if exit_code not in (0, DeliveryRefused.exit_code):
        return HTTPStatus.INTERNAL_SERVER_ERROR, _failed(result.get("error"))
    report = {name: value for name, value in result["deliveries"][0].items() if name != "report"}
    if result["landed"]:
        return HTTPStatus.CREATED, report
    return (HTTPStatus.OK if result["already_landed"] else HTTPStatus.UNPROCESSABLE_ENTITY), report


def _failed(error: Mapping[str, Any] | None) -> dict[str, Any]:
    told = error or {
        "what": "受領の処理が終わりませんでした。",
        "then": "もう一度送り、続くときは総括管理主体に知らせてください。",
    }
    return {"state": "failed", "what": told["what"], "then": told.get("then", "")}


@contextmanager
def serving(home: Home) -> Iterator[None]:
    """Hold the place of arrivals for one server, and shred what a killed one left there.

    Raises:
        Busy: another endpoint serves this home.
    """
    folder = arrivals(home)
    with locked(home.handover / "endpoint"):
        clear(folder)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield


def clear_arrivals(home: Home) -> None:
    """Shred what a killed endpoint left; nothing while one serves."""
    if arrivals(home).is_dir():
        with suppress(Busy), serving(home):
            pass


def serve_endpoint(*, home: Home, municipality: Municipality, host: str, port: int) -> None:
    """Serve until stopped. Bodies on their way lie in the handover area, nowhere else.

    Raises:
        Busy: another endpoint serves this home.
        NotReady: no source has a token.
    """
    import tempfile

    import waitress

    if not _tokens(home):
        raise NotReady(
            "鍵(トークン)を渡した出所がまだありません。", then="kodomo endpoint token --source … で作ってください。"
        )
    with serving(home):
        tempfile.tempdir = str(arrivals(home))
        print(f"受け渡しの窓口を開きました: http://{host}:{port}/deliveries/  (止めるには Ctrl+C)", file=sys.stderr)
        app = Endpoint(home, municipality, receive_apart(home, municipality))
        waitress.serve(app, host=host, port=port, threads=4, ident="", max_request_body_size=LIMITS.file_bytes,
                       clear_untrusted_proxy_headers=True)  # fmt: skip
