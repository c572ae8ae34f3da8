"""Three years of casework for a prepared home, drawn from one seed: assessed, supported, passed on, closed, and audited.

Sizes are those of a city of 113,000 (its share for a smaller one): judgements twice a year, somebody at work on nearly
half of the children they raise, a contact every two to four weeks, an inquiry for every second case, a meeting a month,
an audit row for every page and every write. Every move of a case is one that the site itself allows.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from casework_words import (
    ANSWERS,
    CLOSINGS,
    CONTACTS,
    FAMILY_WORDS,
    FIRST_VIEWS,
    GOALS,
    MEMBER_VIEWS,
    OUTCOMES,
    POLICIES,
    QUESTIONS,
    REASONS,
    REQUESTS,
    SHEETS,
    TAKEOVERS,
    TRANSFERS,
)
from django.db import connections, models, transaction

from kodomo.assessment import keys
from kodomo.assessment import models as assessing
from kodomo.assessment.case_numbers import check_digit
from kodomo.assessment.moves import check_move
from kodomo.assessment.sheets import Degree, current_sheets
from kodomo.assessment.states import INQUIRED, REASON_CODES, REVEAL_PURPOSES, Agreement, CaseState, Concern
from kodomo.configuration import Home, Municipality
from kodomo.governance import audit
from kodomo.governance.permissions import Action, Role
from kodomo.support import models as supporting
from kodomo.support.partners import current_partners
from kodomo.support.words import (
    CLOSING_REASONS,
    ContactKind,
    ContactResult,
    OutcomeScale,
    PackageStep,
    Protection,
    Service,
)
from kodomo.terms import Decision, Level
from kodomo.vault import database as vault
from kodomo.vault.keys import Keyring

JUDGEMENTS = 6
"""Two a year."""

WORKED_SHARE = 0.45
"""Of the cases that arrive: the others wait, or are looked at and left."""

PAGES_A_DAY = 12
"""Pages of children and lists that one person opens on a working day beside those where they write."""

DAY = dt.timedelta(days=1)


class _Today(Exception):
    """The case has come to the present."""


@dataclass(frozen=True)
class Worker:
    """One member of staff who did some of the work."""

    username: str
    name: str
    role: Role
    office: str


@dataclass
class Written:
    """What the years wrote: unsaved rows by model, and the acts of both audit trails."""

    rows: dict[type[models.Model], list[Any]] = field(default_factory=lambda: defaultdict(list))
    acts: list[tuple[dt.datetime, audit.AuditEvent]] = field(default_factory=list)
    vault_acts: list[tuple[dt.datetime, audit.AuditEvent]] = field(default_factory=list)
    tokens: int = 0

    def add(self, row: Any) -> Any:
        """Keep a row to be saved."""
        self.rows[type(row)].append(row)
        return row

    def act(
        self, at: dt.datetime, by: Worker, action: str, *, subject: str = "", reason: str = "", **detail: Any
    ) -> None:
        """Keep an act of the casework trail."""
        self.acts.append((at, audit.AuditEvent(by.username, by.role.value, str(action), subject, "", reason, detail)))


def fill_years(
    home: Home, municipality: Municipality, *, seed: int, until: dt.datetime, staff: Sequence[Worker]
) -> dict[str, int]:
    """Write three years of casework up to ``until`` on the cases that have arrived; returns counts by table.

    Django is set up and points at ``home``, whose release has brought its cases in. All of it is one transaction for each
    database; the audit chains go on from where they stand and stay valid.
    """
    rng, written = random.Random(seed), Written()  # noqa: S311  (made-up casework)
    cases = list(assessing.Case.objects.order_by("pk"))
    judged = _judgement_days(cases[0].judged_as_of, until)
    names = {day: f"{day.isoformat()}.{seed:04d}-generated" for day in judged[:-1]}
    names[judged[-1]] = cases[0].judgement_name
    levels: dict[int, list[assessing.CaseLevel]] = defaultdict(list)
    for level in assessing.CaseLevel.objects.filter(is_current=True):
        levels[level.case_id].append(level)
    years = _Years(rng, written, municipality, staff, until, judged, names)
    for case in cases:
        years.live(case, levels[case.pk])
    years.meet()
    years.look_around()
    with transaction.atomic():
        _save(written, cases)
        _chain(written, home)
    counts = {model._meta.db_table: len(rows) for model, rows in written.rows.items()}
    return {**counts, "audit_events": len(written.acts), "vault_audit_events": len(written.vault_acts)}


def _judgement_days(newest: dt.date, until: dt.datetime) -> list[dt.date]:
    """The base dates of the years' judgements, half a year apart, the oldest first."""
    days = [newest]
    while len(days) < JUDGEMENTS:
        last = days[-1]
        days.append(dt.date(last.year - (last.month <= 6), 9 if last.month <= 6 else 3, 30))
    return [day for day in reversed(days) if day <= until.date()]


class _Years:
    """The years as they go by: who works where, and what is written of each case."""

    def __init__(
        self,
        rng: random.Random,
        written: Written,
        municipality: Municipality,
        staff: Sequence[Worker],
        until: dt.datetime,
        judged: Sequence[dt.date],
        names: dict[dt.date, str],
    ) -> None:
        self.rng, self.written, self.until, self.judged, self.names = rng, written, until, judged, names
        self.staff = list(staff)
        self.workers = {o.code: self._of(Role.PRACTITIONER, o.code) for o in municipality.offices}
        self.approvers = {o.code: self._of(Role.APPROVER, o.code) for o in municipality.offices}
        self.sheets, self.partners = current_sheets(municipality), current_partners(municipality)
        self.offices = [o.code for o in municipality.offices]
        self.assessed: list[tuple[dt.datetime, assessing.Case]] = []
        self.package_numbers: set[str] = set()
        self.began = dt.datetime.combine(judged[0], dt.time(), until.tzinfo) + 20 * DAY

    def _of(self, role: Role, office: str) -> list[Worker]:
        return [one for one in self.staff if (one.role, one.office) == (role, office)]

    # One case ------------------------------------------------------------------------------------

    def live(self, case: assessing.Case, levels: Sequence[assessing.CaseLevel]) -> None:
        """One case from its arrival on."""
        first = self.rng.choices(range(len(self.judged)), weights=range(2 * len(self.judged), len(self.judged), -1))[0]
        self._judged_before(case, levels, first)
        case.arrived_at = self._later(dt.datetime.combine(self.judged[first], dt.time(), self.until.tzinfo), 20, 20)
        case.has_changed = self.rng.random() < 0.3
        if self.rng.random() < WORKED_SHARE:
            with suppress(_Today):
                self._work(case)

    def _work(self, case: assessing.Case) -> None:
        worker = self.rng.choice(self.workers[case.office])
        at = self._later(case.arrived_at, 2, 90)
        case.caseworker = worker.username
        decision = self._assess(case, worker, at, first_time=True)
        if decision is Decision.INQUIRE:
            at = self._inquire(case, worker, at)
            decision = self._assess(case, worker, at, first_time=False)
        if decision is Decision.SUPPORT:
            self._support(case, worker, at)
        elif decision is Decision.WATCH:
            self._watch(case, worker, at)

    def _judged_before(self, case: assessing.Case, levels: Sequence[assessing.CaseLevel], first: int) -> None:
        """The levels of the judgements since the case came in: near to what they are now."""
        for day in self.judged[first:-1]:
            for level in levels:
                height = self.rng.choice((level.level, level.level, Level.LOW.value, Level.MIDDLE.value))
                self.written.add(
                    assessing.CaseLevel(
                        case=case, judgement_name=self.names[day], judged_as_of=day, type=level.type, level=height,
                        place=level.place, is_registered=level.is_registered, is_current=False,
                    )
                )  # fmt: skip

    def _assess(self, case: assessing.Case, worker: Worker, at: dt.datetime, *, first_time: bool) -> Decision:
        """First view, perhaps a sheet, and the decision; the day on which it was made counts."""
        rng, name = self.rng, self._judgement_at(at)
        view = self.written.add(
            assessing.FirstView(
                case=case, judgement_name=name, text=rng.choice(FIRST_VIEWS), concern=rng.choice(list(Concern)).value,
                written_by=worker.username, written_by_name=worker.name, written_at=at,
            )
        )  # fmt: skip
        self._wrote(case, worker, at, Action.WRITE_FIRST_VIEW, concern=view.concern, judgement=name)
        if rng.random() < 0.5 and self.sheets:
            self._fill_sheet(case, worker, at)
        weights = (26, 38, 22, 14) if first_time else (48, 0, 34, 18)
        wanted = (Decision.SUPPORT, Decision.INQUIRE, Decision.WATCH, Decision.NO_ACTION)
        decision = rng.choices(wanted, weights=weights)[0]
        next_on = None if decision is Decision.NO_ACTION else (at + rng.randint(10, 45) * DAY).date()
        code = rng.choice(list(REASON_CODES[decision])[:-1])
        at += dt.timedelta(minutes=rng.randint(5, 40))
        revision = 1 if first_time else 2
        self.written.add(
            assessing.Assessment(
                case=case, revision=revision, first_view=view, judgement_name=name, decision=decision.value, reason_code=code,
                reason_text=rng.choice(REASONS), agreement=rng.choices([a.value for a in Agreement], weights=(7, 1, 2))[0],
                next_on=next_on, decided_by=worker.username, decided_by_name=worker.name,
                decided_by_role=worker.role.value, decided_at=at,
            )
        )  # fmt: skip
        self._move(case, Action.DECIDE, CaseState(decision), next_on)
        self._wrote(case, worker, at, Action.DECIDE, reason=code, decision=decision.value, revision=revision)
        self.assessed.append((at, case))
        return decision

    def _fill_sheet(self, case: assessing.Case, worker: Worker, at: dt.datetime) -> None:
        kind, sheet = self.rng.choice(list(self.sheets.items()))
        answers = {
            item.code: {
                "degree": self.rng.choice(list(Degree)).value,
                "text": self.rng.choice(SHEETS),
                "asked": item.caption,
            }
            for item in sheet.items
        }
        self.written.add(
            assessing.AssessmentSheet(
                case=case, type=kind, revision=self._count(case, "sheet", kind), answers=answers, written_by=worker.username,
                written_by_name=worker.name, written_at=at,
            )
        )  # fmt: skip
        self._wrote(case, worker, at, Action.WRITE_SHEET, type=kind, count=len(answers))

    def _inquire(self, case: assessing.Case, worker: Worker, at: dt.datetime) -> dt.datetime:
        """Questions and, mostly, answers; gives the moment of the last of them."""
        for _ in range(self.rng.randint(1, 3)):
            asked, due = self.rng.choice(list(INQUIRED)), (at + 21 * DAY).date()
            inquiry = self.written.add(
                assessing.Inquiry(
                    case=case, asked=asked, questions=self.rng.choice(QUESTIONS), due_on=due, asked_by=worker.username,
                    asked_by_name=worker.name, asked_at=at,
                )
            )  # fmt: skip
            self._wrote(case, worker, at, Action.ASK_INQUIRY, asked=asked, due_on=str(due))
            at = self._later(at, 4, 30)
            if self.rng.random() < 0.85:
                self.written.add(
                    assessing.InquiryAnswer(
                        inquiry=inquiry, answered_on=at.date(), text=self.rng.choice(ANSWERS), recorded_by=worker.username,
                        recorded_by_name=worker.name, recorded_at=at,
                    )
                )  # fmt: skip
                self._wrote(case, worker, at, Action.ANSWER_INQUIRY, asked=asked, answered_on=str(at.date()))
        return at

    def _watch(self, case: assessing.Case, worker: Worker, at: dt.datetime) -> None:
        """A look every few months; some are closed."""
        for _ in range(self.rng.randint(1, 6)):
            at = self._later(at, 50, 110)
            self._contact(case, worker, at, every=(50, 110))
        if self.rng.random() < 0.3:
            self._close(case, worker, at)

    def _support(self, case: assessing.Case, worker: Worker, at: dt.datetime) -> None:
        """A plan, contacts, outcomes, packages; a new plan each half year; the end, or what is still going on."""
        at, months = self._later(at, 3, 14), self.rng.randint(4, 26)
        plan: list[supporting.Goal] = []
        ends, planned = at + months * 30 * DAY, at
        while at < ends:
            if not plan or at - planned > 180 * DAY:
                plan, planned = self._plan(case, worker, at), at
                if self.rng.random() < 0.35:
                    with suppress(_Today):
                        self._package(case, worker, at)
            worker = self._taken_over(case, worker, at)
            at = self._later(at, 10, 32)
            self._contact(case, worker, at, every=(10, 32))
            if self.rng.random() < 0.25:
                self._outcome(case, worker, self.rng.choice(plan), at)
        if self.rng.random() < 0.6:
            for goal in plan:
                self._outcome(case, worker, goal, at)
            self._close(case, worker, at)
            if self.rng.random() < 0.08:
                self._reopen(case, worker, self._later(at, 60, 200))

    def _plan(self, case: assessing.Case, worker: Worker, at: dt.datetime) -> list[supporting.Goal]:
        review = (at + 180 * DAY).date()
        plan = self.written.add(
            supporting.Plan(
                case=case, revision=self._count(case, "plan"), policy=self.rng.choice(POLICIES),
                family_words=self.rng.choice(FAMILY_WORDS), starts_on=at.date(), review_on=review, **_by(worker, at),
            )
        )  # fmt: skip
        goals = [
            self.written.add(
                supporting.Goal(
                    plan=plan, number=number, text=text, service=self.rng.choice(list(Service)).value,
                    office=self.rng.choice([case.office, "school_education", "health", "welfare"]),
                )
            )
            for number, text in enumerate(self.rng.sample(GOALS, self.rng.randint(1, 3)), 1)
        ]  # fmt: skip
        case.next_on = min(review, case.next_on or review)
        self._wrote(case, worker, at, Action.WRITE_PLAN, revision=plan.revision, goals=len(goals))
        return goals

    def _contact(self, case: assessing.Case, worker: Worker, at: dt.datetime, *, every: tuple[int, int]) -> None:
        kind = self.rng.choices([k for k in ContactKind if k is not ContactKind.REPLY], weights=(30, 20, 35, 5, 10))[0]
        result = self.rng.choices(list(ContactResult), weights=(25, 40, 6, 15, 8, 6))[0]
        case.next_on = (at + self.rng.randint(*every) * DAY).date()
        self.written.add(
            supporting.Contact(
                case=case, kind=kind.value, met_on=at.date(), result=result.value, text=self.rng.choice(CONTACTS),
                next_on=case.next_on, **_by(worker, at),
            )
        )  # fmt: skip
        self._wrote(
            case, worker, at, Action.RECORD_CONTACT, kind=kind.value, result=result.value, next_on=str(case.next_on)
        )

    def _outcome(self, case: assessing.Case, worker: Worker, goal: supporting.Goal, at: dt.datetime) -> None:
        scale = self.rng.choices(list(OutcomeScale), weights=(22, 33, 25, 6, 6, 8))[0]
        self.written.add(
            supporting.Outcome(
                goal=goal, scale=scale.value, seen_on=at.date(), text=self.rng.choice(OUTCOMES), **_by(worker, at)
            )
        )
        self._wrote(case, worker, at, Action.RECORD_OUTCOME, goal=goal.number, outcome=scale.value)

    def _package(self, case: assessing.Case, worker: Worker, at: dt.datetime) -> None:
        partner, number = self.rng.choice(list(self.partners.values())), self._package_number()
        protection = Protection.PROTECTED if case.is_address_protected else Protection.NONE
        package = self.written.add(
            supporting.Package(
                case=case, number=number, partner=partner.code, partner_name=partner.caption, request=self.rng.choice(REQUESTS),
                reply_by=(at + 60 * DAY).date(), expires_on=(at + 150 * DAY).date(), protection=protection.value,
                **_by(worker, at),
            )
        )  # fmt: skip
        self._wrote(case, worker, at, Action.MAKE_PACKAGE, partner=partner.code, protection=protection.value)
        if protection is not Protection.NONE:
            return  # it waits for an approver
        for step, share in ((PackageStep.HANDED, 0.95), (PackageStep.REPLIED, 0.7), (PackageStep.DESTROYED, 0.8)):
            at = self._later(at, 3, 60)
            if self.rng.random() > share:
                return
            self.written.add(
                supporting.PackageEvent(
                    package=package, step=step.value, on=at.date(), text=step.label, **_by(worker, at)
                )
            )
            self._wrote(case, worker, at, Action.MAKE_PACKAGE, step=step.value)

    def _package_number(self) -> str:
        while True:
            digits = f"{self.rng.randrange(1_000_000):06d}"
            number = f"{digits[:3]}-{digits[3:]}{check_digit(digits)}"
            if number not in self.package_numbers:
                self.package_numbers.add(number)
                return number

    def _taken_over(self, case: assessing.Case, worker: Worker, at: dt.datetime) -> Worker:
        """In April some people move on, and a child who starts school goes to the other office."""
        if at.month != 4 or self.rng.random() > 0.25:
            return worker
        if case.office == "childcare" and self.rng.random() < 0.3 and "family_centre" in self.workers:
            self.written.add(
                supporting.Transfer(
                    case=case, from_office=case.office, to_office="family_centre", text=self.rng.choice(TRANSFERS),
                    **_by(worker, at),
                )
            )  # fmt: skip
            self._wrote(case, worker, at, Action.TRANSFER_CASE, to="family_centre", **{"from": case.office})
            case.office = "family_centre"
        following = self.rng.choice(self.workers[case.office])
        self.written.add(
            supporting.Takeover(
                case=case,
                from_name=worker.name,
                to_name=following.name,
                text=self.rng.choice(TAKEOVERS),
                **_by(worker, at),
            )
        )
        self._wrote(case, worker, at, Action.ASSIGN_CASE, caseworker=following.username)
        case.caseworker = following.username
        return following

    def _close(self, case: assessing.Case, worker: Worker, at: dt.datetime) -> None:
        code = self.rng.choice(list(CLOSING_REASONS))
        self.written.add(
            supporting.Closure(
                case=case, reason_code=code, text=self.rng.choice(CLOSINGS), closed_on=at.date(), **_by(worker, at)
            )
        )
        self._move(case, Action.CLOSE_CASE, CaseState.CLOSED, None)
        self._wrote(case, worker, at, Action.CLOSE_CASE, reason=code, reason_code=code)

    def _reopen(self, case: assessing.Case, worker: Worker, at: dt.datetime) -> None:
        self.written.add(supporting.Reopening(case=case, text="また連絡があり、様子を見る。", **_by(worker, at)))
        self._move(case, Action.REOPEN_CASE, CaseState.RETURNED, None)
        self._wrote(case, worker, at, Action.REOPEN_CASE)

    # What isn't about one case ---------------------------------------------------------------------

    def meet(self) -> None:
        """A meeting a month: some ten of the cases assessed since the last one."""
        members = [one for one in self.staff if one.role is Role.COMMITTEE_MEMBER]
        chairs = [one for one in self.staff if one.role is Role.COORDINATOR]
        self.assessed.sort(key=lambda pair: pair[0])
        day = self.began + 45 * DAY
        while day < self.until and members and chairs:
            lately = [case for at, case in self.assessed if day - 30 * DAY <= at < day]
            chair = self.rng.choice(chairs)
            conference = self.written.add(
                assessing.Conference(
                    held_on=day.date(), title=f"{day.month}月の統括委員会", quorum=2, called_by=chair.username,
                    called_by_name=chair.name, called_at=day - 7 * DAY,
                )
            )  # fmt: skip
            for one in members:
                self.written.add(
                    assessing.ConferenceMember(conference=conference, username=one.username, name=one.name)
                )
            chosen = {case.pk: case for case in self.rng.sample(lately, min(10, len(lately)))}
            for position, case in enumerate(chosen.values(), 1):
                self._discuss(conference, case, position, members, chair, day)
            day += 30 * DAY

    def _discuss(
        self, conference: assessing.Conference, case: assessing.Case, position: int, members: Sequence[Worker],
        chair: Worker, day: dt.datetime,
    ) -> None:  # fmt: skip
        at = day + position * dt.timedelta(minutes=10)
        item = self.written.add(
            assessing.AgendaItem(conference=conference, case=case, position=position, started_at=at)
        )
        for one in members:
            self.written.add(
                assessing.MemberView(
                    item=item, username=one.username, name=one.name, has_interest=False, decision=Decision.SUPPORT.value,
                    text=self.rng.choice(MEMBER_VIEWS), written_at=at,
                )
            )  # fmt: skip
            self._wrote(case, one, at, Action.WRITE_MEMBER_VIEW, interest=False)
        self.written.add(
            assessing.ConferenceDecision(
                item=item, decision=Decision.SUPPORT.value, text=self.rng.choice(REASONS), next_on=(day + 30 * DAY).date(),
                decided_by=chair.username, decided_by_name=chair.name, decided_at=at,
            )
        )  # fmt: skip
        self._wrote(case, chair, at, Action.HOLD_CONFERENCE, decision=Decision.SUPPORT.value, voices=len(members))

    def look_around(self) -> None:
        """The pages people only read, day by day, and the searches and names asked of the vault."""
        keys_of = [case.child_key for _, case in self.assessed]
        day = self.began
        while day < self.until and keys_of:
            for one in self.staff if day.weekday() < 5 else ():
                for _ in range(self.rng.randint(0, 2 * PAGES_A_DAY)):
                    at = day + dt.timedelta(seconds=self.rng.randint(0, 8 * 3600))
                    page = self.rng.choice(
                        (Action.VIEW_CASE, Action.VIEW_CASE, Action.VIEW_SHORTLIST, Action.VIEW_SUPPORT)
                    )
                    about = "" if page is Action.VIEW_SHORTLIST else self.rng.choice(keys_of)
                    self.written.act(at, one, page, subject=about)
                if one.role is Role.PRACTITIONER and self.rng.random() < 0.5:
                    self._ask_vault(
                        one, day + dt.timedelta(seconds=self.rng.randint(0, 8 * 3600)), self.rng.choice(keys_of)
                    )
            day += DAY

    def _ask_vault(self, one: Worker, at: dt.datetime, key: str) -> None:
        purpose = self.rng.choice(list(REVEAL_PURPOSES.values()))
        action, subject = self.rng.choice(((Action.REVEAL_NAME, key), (Action.FIND_CASE, "")))
        self.written.act(at, one, action, subject=subject)
        in_vault = "REVEAL_NAME" if subject else "SEARCH_BY_READING"
        self.written.vault_acts.append((at, audit.AuditEvent(one.username, one.role.value, in_vault, subject, purpose)))

    # What everything shares ------------------------------------------------------------------------

    def _later(self, at: dt.datetime, least: int, most: int) -> dt.datetime:
        """Some days later, at a working hour of a working day."""
        day = at + self.rng.randint(least, most) * DAY
        day += max(0, 7 - day.weekday()) * DAY if day.weekday() > 4 else dt.timedelta()
        moment = day.replace(hour=0, minute=0, second=0) + dt.timedelta(seconds=self.rng.randint(0, 8 * 3600))
        if moment >= self.until:
            raise _Today
        return moment

    def _judgement_at(self, at: dt.datetime) -> str:
        day = max((d for d in self.judged if d <= at.date()), default=self.judged[0])
        return self.names[day]

    def _move(self, case: assessing.Case, by: Action, after: CaseState, next_on: dt.date | None) -> None:
        check_move(case.state, by, after)
        case.state, case.next_on = after, next_on

    def _count(self, case: assessing.Case, *of: str) -> int:
        kept = self.__dict__.setdefault("counted", defaultdict(int))
        kept[(case.pk, *of)] += 1
        return int(kept[(case.pk, *of)])

    def _wrote(
        self, case: assessing.Case, by: Worker, at: dt.datetime, action: Action, reason: str = "", **detail: Any
    ) -> None:
        """What each write leaves: the pages before it, its token, its audit row, the next version of the case."""
        written, minute = self.written, dt.timedelta(minutes=1)
        written.act(at - 3 * minute, by, Action.VIEW_CASE, subject=case.child_key, case=case.case_number)
        written.act(at, by, action, subject=case.child_key, reason=reason, case=case.case_number, **detail)
        written.tokens += 1
        written.add(
            assessing.Submission(
                token=f"generated-{written.tokens:08d}", username=by.username, action=action, made_at=at
            )
        )
        case.version += 1


def _by(worker: Worker, at: dt.datetime) -> dict[str, Any]:
    return {"written_by": worker.username, "written_by_name": worker.name, "written_at": at}


ORDER: tuple[type[models.Model], ...] = (
    assessing.CaseLevel, assessing.FirstView, assessing.Assessment, assessing.AssessmentSheet, assessing.Inquiry,
    assessing.InquiryAnswer, assessing.Conference, assessing.ConferenceMember, assessing.AgendaItem, assessing.MemberView,
    assessing.ConferenceDecision, supporting.Plan, supporting.Goal, supporting.Contact, supporting.Outcome,
    supporting.Package, supporting.PackageEvent, supporting.Closure, supporting.Reopening, supporting.Takeover,
    supporting.Transfer, assessing.Submission,
)  # fmt: skip
"""What must be there first comes first."""


def _save(written: Written, cases: Iterable[assessing.Case]) -> None:
    changed = ("office", "state", "next_on", "caseworker", "arrived_at", "has_changed", "version")
    assessing.Case.objects.bulk_update(cases, changed, batch_size=100)
    for model in ORDER:
        rows = written.rows[model]
        moment = next((f.name for f in model._meta.fields if f.name in _MOMENTS), None)
        if moment:
            rows.sort(key=lambda row: getattr(row, moment))
        model._default_manager.bulk_create(rows, batch_size=1000)


_MOMENTS = ("written_at", "decided_at", "asked_at", "recorded_at", "made_at")


def _chain(written: Written, home: Home) -> None:
    """Go on with both audit chains, in the order of the acts."""
    trails = (
        ("default", written.acts, keys.keys(home)["audit"], keys.anchor_file(home)),
        ("vault", written.vault_acts, Keyring.open(home.keys).audit, vault.anchor_file(home)),
    )
    for alias, acts, key, anchor in trails:
        acts.sort(key=lambda act: act[0])
        if not acts:
            continue
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            sequence, mac = audit.append_all(cursor, key, connections[alias].vendor, acts, anchor)
        transaction.on_commit(lambda a=anchor, s=sequence, m=mac: audit.write_anchor(a, s, m), using=alias)  # type: ignore[misc]
