"""Fifty people at their desks, for Locust: they sign in, read lists and children, search by reading, and write.

Read by `load.py` alone. Think times are drawn for each page and divided by ``KODOMO_LOAD_HASTE``. Every answer's time goes into one file, and every text a server said it had saved: that is counted
in the database afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import re
import struct
import time
import uuid
from base64 import b32decode
from pathlib import Path
from typing import Any

from locust import FastHttpUser, events, task

CAST = json.loads(Path(os.environ["KODOMO_LOAD_CAST"]).read_text())
HASTE = float(os.environ.get("KODOMO_LOAD_HASTE", "1"))
OUT = Path(os.environ["KODOMO_LOAD_OUT"])

READS, WRITES = json.loads(os.environ["KODOMO_LOAD_THINK"])
"""Between which seconds a person looks at a page before the next one, and fills in a form."""

FILTERS = (
    "", "?reach=ALL", "?type=NON_ATTENDANCE", "?type=ABUSE&waiting=on", "?age_band=ELEMENTARY&changed=on", "?escalated=on",
    "?caseworker=MINE", "?overdue=on&order=NEXT", "?reach=ALL&unregistered=on&support=UNCONNECTED", "?nobody_knows=on",
    "?insufficient=on&order=GRADE", "?reach=ALL&page=2",
)  # fmt: skip
"""Conditions people choose on the shortlist."""

HIDDEN = re.compile(r'name="(csrfmiddlewaretoken|token|version)" value="([^"]*)"')
NUMBER = re.compile(r'href="/cases/(\d{4}-\d{7})/"')

waiting = list(CAST["people"])
samples: list[tuple[str, float, float, str]] = []
saved: list[dict[str, str]] = []


@events.request.add_listener
def note(name: str, response_time: float, exception: Any, start_time: float, **_: Any) -> None:
    """Keep every answer's time, and what was wrong with it."""
    samples.append((name, start_time, response_time, str(exception or "")))


@events.quitting.add_listener
def tell(**_: Any) -> None:
    """Leave it all for the measuring program."""
    OUT.write_text(json.dumps({"samples": samples, "saved": saved}))


class Person(FastHttpUser):
    """One person with an account, the cases of their own that they work on, and others they look at."""

    def on_start(self) -> None:
        """Sign in with password and code; the browser keeps what it got of the site's own files."""
        self.me = waiting.pop()
        self.rng = random.Random(self.me["username"])  # noqa: S311
        self.mine = list(self.me["cases"])
        self.unseen = list(self.me["unseen"])
        self.seen = list(self.mine)
        page = self._get("/sign-in/", "sign-in page")
        given = {"username": self.me["username"], "password": CAST["password"], "next": "/"}
        self._post("/sign-in/", "sign-in", page, given)
        page = self._get("/second-factor/", "sign-in page")
        self._post("/second-factor/", "second factor", page, {"code": code_now(self.me["secret"])})
        self._get("/", "home")

    def wait_time(self) -> float:
        """Look at the page."""
        return self.rng.uniform(*READS) / HASTE

    @task(22)
    def shortlist(self) -> None:
        """The list, mostly narrowed down."""
        body = self._get("/cases/" + self.rng.choice(FILTERS), "shortlist")
        self.seen = NUMBER.findall(body) or self.seen

    @task(30)
    def child(self) -> None:
        """A child's page: from the list, or one's own."""
        numbers = self.seen if self.rng.random() < 0.6 else self.mine
        if numbers:
            self._get(f"/cases/{self.rng.choice(numbers)}/", "child's page")

    @task(8)
    def record(self) -> None:
        """The support of one of one's own cases."""
        if self.mine:
            self._get(f"/cases/{self.rng.choice(self.mine)}/support/", "support record")

    @task(6)
    def caseload(self) -> None:
        """What is due."""
        self._get("/caseload/?view=" + self.rng.choice(("mine", "late", "", "untouched")), "caseload")

    @task(4)
    def home(self) -> None:
        """The day's start page."""
        self._get("/", "home")

    @task(8)
    def search(self) -> None:
        """A name on the telephone; the password again where the site asks for it."""
        page = self._get("/find/", "search page")
        self._think(WRITES)
        given = {"words": self.rng.choice(self.me["readings"]), "born_on": "", "purpose": "P1"}
        if 'name="password"' in page:
            again = {**given, "password": CAST["password"]}
            self._post("/find/", "search with the password again", page, again, expect=(200, 400))
        else:
            self._post("/find/", "search", page, given, expect=(200, 400))

    @task(9)
    def contact(self) -> None:
        """A visit or a call is written down."""
        given = {"kind": "CALL", "met_on": CAST["today"], "result": "TALKED", "next_on": CAST["next_on"]}
        self._write("contact", self.mine, "contact", given, "text")

    @task(4)
    def first_view(self) -> None:
        """A child nobody has looked at yet: facts first, then the first view, and perhaps the decision."""
        if not self.unseen:
            return
        number = self.unseen.pop()
        page = self._get(f"/cases/{number}/", "child's page")
        self._save("first_view", f"/cases/{number}/first-view/", page, {"concern": "SOME"}, "text")
        if self.rng.random() < 0.6:
            given = {"decision": "WATCH", "reason_code": "W1", "agreement": "AGREE", "next_on": CAST["next_on"]}
            self._write("decision", [number], "decide", given, "reason_text")
            self.mine.append(number)

    @task(2)
    def draft(self) -> None:
        """Somebody rings: what was typed is kept for later."""
        given = {"kind": "VISIT", "met_on": CAST["today"], "result": "TALKED", "next_on": "", "draft": "1"}
        self._write("draft", self.mine[:1], "contact", given, "text")

    @task(2)
    def inquiry(self) -> None:
        """The school is asked."""
        self._write("inquiry", self.mine, "inquiry", {"asked": "SCHOOL", "due_on": CAST["next_on"]}, "questions")

    # How a browser does it ---------------------------------------------------------------------------

    def _write(self, what: str, numbers: list[str], page: str, given: dict[str, str], text: str) -> None:
        if numbers:
            path = f"/cases/{self.rng.choice(numbers)}/{page}/"
            self._save(what, path, self._get(path, "form"), given, text)

    def _save(self, what: str, path: str, page: str, given: dict[str, str], text: str) -> None:
        """Send a form; one in ten is sent twice, by a double click: it must count once."""
        mark = uuid.uuid4().hex
        self._think(WRITES)
        for _ in range(2 if what != "draft" and self.rng.random() < 0.1 else 1):
            words = f"電話で様子を聞いた。変わりはなく、登校は続いている。照合の印 {mark}"
            if self._post(path, "save", page, {**given, text: words}):
                saved.append({"what": what, "mark": mark})

    def _think(self, between: list[float]) -> None:
        time.sleep(self.rng.uniform(*between) / HASTE)

    def _get(self, path: str, name: str) -> str:
        with self.client.get(path, name=name, catch_response=True, allow_redirects=False) as answer:
            if answer.status_code != 200:
                answer.failure(f"GET {answer.status_code}")
            return str(answer.text or "")

    def _post(self, path: str, name: str, page: str, given: dict[str, str], expect: tuple[int, ...] = (302,)) -> bool:
        form = {**dict(HIDDEN.findall(page)), **given}
        with self.client.post(path, data=form, name=name, catch_response=True, allow_redirects=False) as answer:
            if answer.status_code not in expect:
                answer.failure(f"POST {answer.status_code}")
                return False
            answer.success()
            return True


def code_now(secret: str) -> str:
    """The six digits of an authenticator (RFC 6238) at this moment."""
    digest = hmac.new(b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"
