"""承認の帳簿: who proposed, approved, withdrew or took back a version of what judges children, and why (crosscutting).

A *version* is the digest of what it names: criteria files, thresholds of levels, a model, or a rule found by
learning. It is used once two different named people have approved it; a withdrawal ends that until two approve
again. The book lies in the home (``governance/approvals.sqlite3``), is append-only, and every act is written
together with its row of the audit trail (``kodomo.governance.audit``), by its own key and anchor.

Approvals a municipality's folder brings along as data (``criteria/approvals.toml``) count like acts of the book
made before it; what the book says later stands above them.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kodomo.configuration import Home
from kodomo.errors import NotPermitted, StaffError, WrongUsage
from kodomo.governance import audit
from kodomo.governance.keyfile import read_or_create_keys
from kodomo.governance.permissions import Role
from kodomo.terms import LabelledEnum

APPROVERS = 2


class Matter(LabelledEnum):
    """承認の対象."""

    CRITERIA = "CRITERIA", "判定基準", "指標・シナリオ・把握事例・情報のそろい具合のファイル"
    THRESHOLDS = "THRESHOLDS", "レベルのしきい値", "「高」「中」の枠と、レベルを保つ幅"
    MODEL = "MODEL", "判定モデル", "把握事例から学んだもの"
    RULE = "RULE", "発見されたルール", "ルール発見型推論が見つけた条件の組み合わせ"


class Step(LabelledEnum):
    """承認の帳簿の一行."""

    PROPOSE = "PROPOSE", "提案"
    APPROVE = "APPROVE", "承認"
    WITHDRAW = "WITHDRAW", "取下げ"
    ROLL_BACK = "ROLL_BACK", "前の版に戻す"
    ACCEPT = "ACCEPT", "認める"
    PIN = "PIN", "必ず候補に残す"
    REQUIRE = "REQUIRE", "必ず使う"
    FORBID = "FORBID", "使わない"


class State(LabelledEnum):
    """版の状態."""

    UNKNOWN = "UNKNOWN", "提案されていない"
    PROPOSED = "PROPOSED", "承認待ち"
    APPROVED = "APPROVED", "承認済み"
    WITHDRAWN = "WITHDRAWN", "取り下げられた"


MAY: Mapping[Step, frozenset[Role]] = {
    Step.PROPOSE: frozenset({Role.ANALYST, Role.COORDINATOR, Role.APPROVER, Role.PRIVACY_OFFICER}),
    Step.APPROVE: frozenset({Role.COORDINATOR, Role.APPROVER, Role.PRIVACY_OFFICER}),
    Step.WITHDRAW: frozenset({Role.COORDINATOR, Role.APPROVER, Role.PRIVACY_OFFICER}),
    Step.ROLL_BACK: frozenset({Role.COORDINATOR, Role.APPROVER, Role.PRIVACY_OFFICER}),
    **dict.fromkeys(
        (Step.ACCEPT, Step.PIN, Step.REQUIRE, Step.FORBID), frozenset({Role.ANALYST, Role.COORDINATOR, Role.APPROVER})
    ),
}
"""Who may do what. Those who build the judgement (ANALYST) propose; they don't approve."""


def sameness(name: str) -> str:
    """What two writings of one person's name share: it without spaces and forms of width.

    >>> sameness("大野　統子") == sameness("大野 統子")
    True
    """
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


@dataclass(frozen=True)
class Person:
    """A named person who acts: as whom, for which office, and under which account of the machine or site.

    ``is_signed_in``: the account is this person's alone, as on the site; one of a machine several people may share.
    """

    name: str
    role: Role
    office: str = ""
    account: str = ""
    is_signed_in: bool = False

    @property
    def sameness(self) -> str:
        """What two entries of one person share."""
        return sameness(self.name)


@dataclass(frozen=True)
class Act:
    """One line of the book. ``sequence`` 0 is an approval that came as data with the municipality's folder."""

    sequence: int
    at: str
    matter: Matter
    version: str
    step: Step
    by: Person
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For ``--json`` and manifests."""
        return {
            "at": self.at,
            "step": self.step.value,
            "version": self.version,
            "name": self.by.name,
            "role": self.by.role.value,
            "office": self.by.office,
            "account": self.by.account,
            "reason": self.reason,
            "from_folder": self.sequence == 0,
            **({"detail": dict(self.detail)} if self.detail else {}),
        }


@dataclass(frozen=True)
class Standing:
    """How one version stands: its state, the approvals that count, and everything that was done with it."""

    matter: Matter
    version: str
    state: State
    approvals: tuple[Act, ...]
    acts: tuple[Act, ...]

    @property
    def lacking(self) -> int:
        """How many approvals are still missing."""
        return max(0, APPROVERS - len(self.approvals))

    @property
    def is_from_one_account(self) -> bool:
        """Whether all approvals came from one account of the machine: two names, perhaps one hand."""
        accounts = [act.by.account for act in self.approvals if act.sequence]
        return len(accounts) > 1 and len(set(accounts)) == 1 and accounts[0] != ""


def book_file(home: Home) -> Path:
    """Where the book lies."""
    return home.governance / "approvals.sqlite3"


def anchor_file(home: Home) -> Path:
    """Where the newest MAC of the book's audit chain is copied."""
    return home.keys / "audit-governance.anchor"


def enter(
    home: Home,
    matter: Matter,
    version: str,
    step: Step,
    *,
    by: Person,
    reason: str,
    at: dt.datetime,
    detail: Mapping[str, Any] | None = None,
    check: Callable[[list[Act]], None] = lambda acts: None,
) -> Act:
    """Write one act and its audit row in one transaction; besides ``check`` only the person and the reason are checked.

    Args:
        check: gets the matter's acts, oldest first, when nobody else can add to them any more, and refuses by raising:
            what was asked before that may have changed since.
        version: the digest of what is spoken of; for a rule, its identifier.
        detail: counts, codes and file names; never anything of a child.

    Raises:
        NotPermitted: the role may not take this step.
        WrongUsage: the name or the reason is missing.
        IntegrityFault: the audit trail does not reach its anchor; nothing is written.
    """
    check_person(step, by, reason)
    moment = at.astimezone(dt.UTC).isoformat(timespec="seconds")
    body = json.dumps(dict(detail or {}), ensure_ascii=False, sort_keys=True)
    event = audit.AuditEvent(
        by.name, by.role.value, f"{matter}.{step}", version, reason=reason,
        detail={"office": by.office, "account": by.account, **dict(detail or {})},
    )  # fmt: skip
    with _open(home, writing=True) as database:
        check(_acts(database, matter))
        row = (moment, matter.value, version, step.value, by.name, by.role.value, by.office, by.account, reason, body)
        found = database.execute(f"INSERT INTO acts ({COLUMNS}) VALUES ({', '.join('?' * 10)})", row)
        number = int(found.lastrowid or 0)
        sequence, mac = audit.append(_Cursor(database), _key(home), "sqlite", event, at, anchor_file(home))
    audit.write_anchor(anchor_file(home), sequence, mac)
    return Act(number, moment, matter, version, step, by, reason, dict(detail or {}))


def propose(
    home: Home,
    matter: Matter,
    version: str,
    *,
    by: Person,
    reason: str,
    at: dt.datetime,
    detail: Mapping[str, Any] | None = None,
    brought: Sequence[Act] = (),
) -> Standing:
    """Put a version up for approval. One that was withdrawn may be proposed again and starts without approvals.

    Raises:
        StaffError: it waits for approval or is approved already; or as ``enter``.
    """

    def check(acts: list[Act]) -> None:
        now = stand([*brought, *acts], matter, version)
        if now.state in (State.PROPOSED, State.APPROVED):
            raise StaffError(f"この版は、もう{now.state.label}です。", where=_named(matter, version))

    enter(home, matter, version, Step.PROPOSE, by=by, reason=reason, at=at, detail=detail, check=check)
    return standing(home, matter, version, brought)


def approve(
    home: Home,
    matter: Matter,
    version: str,
    *,
    by: Person,
    reason: str,
    at: dt.datetime,
    brought: Sequence[Act] = (),
    detail: Mapping[str, Any] | None = None,
) -> Standing:
    """Approve a proposed version. With the second different person it may be used.

    Raises:
        StaffError: nobody proposed it, or it was withdrawn.
        NotPermitted: the same person approved it already, by name or by an account of their own; or the role may not
            approve.
    """

    def check(acts: list[Act]) -> None:
        now = stand([*brought, *acts], matter, version)
        if now.state in (State.UNKNOWN, State.WITHDRAWN):
            raise StaffError(
                f"この版は{now.state.label}ので、承認できません。", where=_named(matter, version),
                then="先に提案してください(propose)。",
            )  # fmt: skip
        if any(_is_one_person(by, act.by) for act in now.approvals):
            raise NotPermitted(
                "同じ人は、一つの版を二度承認できません。", where=_named(matter, version),
                then="別の人が承認してください。二人の承認で使えるようになります。",
            )  # fmt: skip

    enter(home, matter, version, Step.APPROVE, by=by, reason=reason, at=at, detail=detail, check=check)
    return standing(home, matter, version, brought)


def _is_one_person(one: Person, other: Person) -> bool:
    """By name; or by account, whatever the account's person was called then."""
    return one.sameness == other.sameness or (one.is_signed_in and one.account == other.account)


def withdraw(
    home: Home,
    matter: Matter,
    version: str,
    *,
    by: Person,
    reason: str,
    at: dt.datetime,
    brought: Sequence[Act] = (),
) -> Standing:
    """Take a version out of use, or its proposal back. One person suffices: stopping must be easy.

    Raises:
        StaffError: it neither waits nor is approved; or as ``enter``.
    """

    def check(acts: list[Act]) -> None:
        now = stand([*brought, *acts], matter, version)
        if now.state not in (State.PROPOSED, State.APPROVED):
            raise StaffError(
                f"この版は{now.state.label}ので、取り下げるものがありません。", where=_named(matter, version)
            )

    enter(home, matter, version, Step.WITHDRAW, by=by, reason=reason, at=at, check=check)
    return standing(home, matter, version, brought)


def standing(home: Home, matter: Matter, version: str, brought: Sequence[Act] = ()) -> Standing:
    """How a version stands, by the book and by the approvals its folder brought along (``brought``)."""
    return stand([*brought, *history(home, matter)], matter, version)


def stand(acts: Iterable[Act], matter: Matter, version: str) -> Standing:
    """How a version stands after these acts, in their order; those of other versions are passed over."""
    own = tuple(act for act in acts if act.matter is matter and act.version == version)
    state = State.UNKNOWN
    counting: dict[str, Act] = {}
    for act in own:
        if act.step is Step.PROPOSE:
            state, counting = State.PROPOSED, {}
        elif act.step is Step.APPROVE:
            counting.setdefault(act.by.sameness, act)
            state = State.APPROVED if len(counting) >= APPROVERS else State.PROPOSED
        elif act.step in (Step.WITHDRAW, Step.ROLL_BACK):
            state, counting = State.WITHDRAWN, {}
    return Standing(matter, version, state, tuple(counting.values()), own)


def history(home: Home, matter: Matter | None = None) -> list[Act]:
    """The book's acts, oldest first; of one matter, or all. Reading writes nothing."""
    if not _is_begun(home):
        return []
    with _open(home) as database:
        return _acts(database, matter)


def _acts(database: sqlite3.Connection, matter: Matter | None) -> list[Act]:
    where, values = ("", []) if matter is None else (" WHERE matter = ?", [matter.value])
    rows = database.execute(f"SELECT sequence, {COLUMNS} FROM acts{where} ORDER BY sequence", values).fetchall()
    return [_act(row) for row in rows]


def verify(home: Home) -> audit.Verdict | None:
    """Check the book: its audit chain from the first row, and that each act is the one its audit row tells of.

    None where nobody has written anything yet and no anchor says otherwise.
    """
    if not _is_begun(home):
        return None if not anchor_file(home).exists() else audit.Verdict(0, 1, "承認の帳簿がありません")
    with _open(home) as database:
        verdict = audit.verify(_Cursor(database), _key(home), anchor_file(home))
        told = database.execute(
            "SELECT sequence, at, actor, role, action, subject, reason FROM audit_events"
        ).fetchall()
        held = database.execute(
            "SELECT sequence, at, name, role, matter || '.' || step, version, reason FROM acts"
        ).fetchall()
    if verdict.first_bad is not None:
        return verdict
    same = [(n, at[:19], *rest) for n, at, *rest in told] == [(n, at[:19], *rest) for n, at, *rest in held]
    return verdict if same else audit.Verdict(verdict.rows, 1, "承認の帳簿と証跡が違います")


def check_person(step: Step, by: Person, reason: str) -> None:
    """Refuse a step without a name or reason, or that the person's role may not take.

    Raises:
        WrongUsage, NotPermitted.
    """
    if not by.sameness or not reason.strip():
        raise WrongUsage("氏名と理由を書いてください。", where="--by --reason")
    if by.role not in MAY[step]:
        allowed = "、".join(sorted(role.label for role in MAY[step]))
        raise NotPermitted(f"「{by.role.label}」の役割では、{step.label}はできません。", then=f"できる役割: {allowed}")


def _named(matter: Matter, version: str) -> str:
    return f"{matter.label} {version[:12]}"


COLUMNS = "at, matter, version, step, name, role, office, account, reason, detail"

SCHEMA = (
    """
    CREATE TABLE acts (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL, matter TEXT NOT NULL, version TEXT NOT NULL, step TEXT NOT NULL,
        name TEXT NOT NULL, role TEXT NOT NULL, office TEXT NOT NULL, account TEXT NOT NULL,
        reason TEXT NOT NULL, detail TEXT NOT NULL
    )
    """,
    "CREATE TRIGGER acts_no_update BEFORE UPDATE ON acts BEGIN SELECT RAISE(ABORT, 'acts is append-only'); END",
    "CREATE TRIGGER acts_no_delete BEFORE DELETE ON acts BEGIN SELECT RAISE(ABORT, 'acts is append-only'); END",
)


def _act(row: tuple[Any, ...]) -> Act:
    sequence, at, matter, version, step, name, role, office, account, reason, detail = row
    by = Person(name, Role(role), office, account)
    return Act(int(sequence), at, Matter(matter), version, Step(step), by, reason, json.loads(detail))


def _is_begun(home: Home) -> bool:
    """Whether anything was ever written: a writer that failed leaves a file without tables."""
    if not book_file(home).exists():
        return False
    with _open(home) as database:
        return database.execute("SELECT 1 FROM sqlite_master WHERE name = 'acts'").fetchone() is not None


def _key(home: Home) -> bytes:
    return read_or_create_keys(home.keys / "governance.json", ("audit",))["audit"]


@contextmanager
def _open(home: Home, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
    path = book_file(home)
    if writing:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        database.execute("PRAGMA synchronous=FULL")
        database.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
        if writing and not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'acts'").fetchone():
            for statement in SCHEMA:
                database.execute(statement)
            audit.install(_Cursor(database), "sqlite")
        yield database
        database.execute("COMMIT")
    finally:
        database.close()  # without COMMIT: undone


class _Cursor:
    """The audit trail speaks ``%s`` (as Django's cursors do), SQLite's own driver ``?``."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._cursor = database.cursor()

    def execute(self, sql: str, params: Any = ()) -> Any:
        return self._cursor.execute(sql.replace("%s", "?"), list(params))

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> Any:
        return self._cursor.fetchall()
