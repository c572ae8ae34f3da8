"""判定基準の案: beginning one, saving an entry, trying it, putting it up for approval, dropping it; every act with its audit row (casework side).

A draft holds whole files, so that what people approve is to the byte what they saw. An entry is saved only when
it is still the one that was opened, and when the draft would load: the checks are the loader's own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from kodomo.assessment import trail
from kodomo.assessment.policies import NotAcceptable, VersionConflict
from kodomo.governance import adoption, approvals
from kodomo.governance.approvals import Matter, Person, State
from kodomo.governance.criteria_in_force import SITE, in_force
from kodomo.governance.criteria_text import with_top
from kodomo.governance.criteria_versions import FILES, criteria_version, version_of
from kodomo.governance.permissions import Actor
from kodomo.governance.thresholds import as_written, checked
from kodomo.operations.commands import ask
from kodomo.operations.models import CriteriaDraft, DraftSave, DraftState

CAPACITY_FILE = "capacity.json"
CAPACITY_ENTRY = "枠"
KEPT_TRIALS = 5


class Faulty(NotAcceptable):
    """The draft would not load: ``marks`` say which key of which entry, and why."""

    def __init__(self, marks: list[dict[str, str]]) -> None:
        super().__init__("判定基準の決まりに合わないところがあります。まだ保存されていません。")
        self.marks = marks


def begin(*, by: Actor, title: str, at: dt.datetime, version: str = "") -> CriteriaDraft:
    """Begin a draft as a copy of the version in force, or of an earlier one.

    Raises:
        NotAcceptable: no name, a name some version has already, or no copy of the version is kept.
    """
    title = " ".join(title.split())
    now = in_force(settings.HOME, settings.MUNICIPALITY)
    folder = adoption.folder_of(settings.HOME, settings.MUNICIPALITY, version) if version else now.criteria_folder
    if folder is None:
        raise NotAcceptable("その版の写しが残っていないので、案をつくれません。")
    _check_title(title)
    files, figures = adoption.texts_of(folder), figures_in_force()
    files["scenarios.toml"] = with_top(files["scenarios.toml"], "version", title)
    event = trail.event_of(by, "BEGIN_DRAFT", detail={"what": title, "version": criteria_version(folder)[:12]})
    with trail.recorded(event, at):
        return CriteriaDraft.objects.create(
            title=title, based_on=criteria_version(folder), files=files, thresholds=figures, begun_by=by.username,
            begun_at=at,
        )  # fmt: skip


def save(
    draft: CriteriaDraft,
    *,
    by: Actor,
    at: dt.datetime,
    entry: str,
    files: Mapping[str, str] | None = None,
    figures: Mapping[str, Any] | None = None,
) -> None:
    """Save what an edit made of the draft's files or figures.

    Args:
        draft: as it was when the edit was made of it; somebody may have saved since.
        entry: what was edited, in words for the list of saves.

    Raises:
        Faulty: it would not load.
        VersionConflict: another save came between reading and writing; nothing is lost, try again.
        NotAcceptable: the draft is no longer open.
    """
    _check_open(draft)
    texts = {**draft.files, **(files or {})}
    numbers = dict(figures) if figures is not None else draft.thresholds
    if texts == draft.files and (figures is None or numbers == figures_of(draft)):
        raise NotAcceptable("何も変わっていないので、保存しませんでした。")
    if files:
        check(by, texts)
    event = trail.event_of(by, "SAVE_DRAFT", detail={"draft": draft.pk, "what": entry})
    with trail.recorded(event, at):
        _write(draft, by, at, entry, files=texts, thresholds=numbers)


def _write(draft: CriteriaDraft, by: Actor, at: dt.datetime, entry: str, **fields: Any) -> None:
    revision = draft.revision + 1
    waiting = CriteriaDraft.objects.filter(pk=draft.pk, revision=draft.revision, state=DraftState.OPEN)
    if not waiting.update(revision=revision, **fields):
        raise VersionConflict("ほかの人が先に保存しました。", then="いまの内容を確かめて、もう一度保存してください。")
    DraftSave.objects.create(
        draft=draft, revision=revision, entry=entry, saved_by=by.username, saved_by_name=by.name, saved_at=at
    )


def check(by: Actor, texts: Mapping[str, str]) -> None:
    """Ask the analysis side whether these files would load. Raises Faulty."""
    with laid_out(texts) as folder:
        told = ask(by, "criteria", "check", "--draft", str(folder))
    if told["faults"]:
        raise Faulty([{key: str(value) for key, value in fault.items()} for fault in told["faults"]])


@contextmanager
def laid_out(texts: Mapping[str, str]) -> Iterator[Path]:
    """A draft's files as a folder the other side can read, gone afterwards."""
    settings.HOME.governance.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(tempfile.mkdtemp(prefix=".draft-", dir=settings.HOME.governance))
    try:
        write_files(folder, texts)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_files(folder: Path, texts: Mapping[str, str], figures: Mapping[str, Any] | None = None) -> None:
    """Write criteria files, and maybe figures of capacity, as commands read them."""
    (folder / "criteria").mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / "criteria" / name).write_text(texts[name], encoding="utf-8", newline="\n")
    if figures is not None:
        (folder / CAPACITY_FILE).write_text(json.dumps(figures, ensure_ascii=False), encoding="utf-8")


def folder_to_try(draft: CriteriaDraft) -> Path:
    """The draft as it is now, written for a job to read: one folder a revision, the oldest gone.

    A job that waits for its turn still finds its own.
    """
    place = settings.HOME.governance / "drafts"
    earlier = (
        sorted(place.glob(f"{draft.pk}-*"), key=lambda one: int(one.name.partition("-")[2])) if place.is_dir() else []
    )
    for old in earlier[:-KEPT_TRIALS]:
        shutil.rmtree(old, ignore_errors=True)
    folder = Path(place / f"{draft.pk}-{draft.revision}")
    write_files(folder, draft.files, figures_of(draft))
    return folder


def waiting() -> list[CriteriaDraft]:
    """Drafts that wait for approvals, the newest first."""
    put_up = CriteriaDraft.objects.filter(state=DraftState.SUBMITTED)
    return [
        one
        for one in put_up
        if any(
            version and approvals.standing(settings.HOME, matter, version).state is State.PROPOSED
            for matter, version in (
                (Matter.CRITERIA, one.criteria_version),
                (Matter.THRESHOLDS, one.thresholds_version),
            )
        )
    ]


def is_changed(draft: CriteriaDraft) -> tuple[bool, bool]:
    """Whether the criteria, and whether the thresholds, are to be approved: they differ from those in force (name aside).

    Those in force may have been withdrawn: then the same are to be approved as well, or nothing would ever judge.
    """
    now = in_force(settings.HOME, settings.MUNICIPALITY)
    before = texts_in_force()
    before["scenarios.toml"] = with_top(before["scenarios.toml"], "version", draft.title)
    stopped, figures_stopped = (
        approvals.standing(settings.HOME, matter, version_of(now, matter)).state is State.WITHDRAWN
        for matter in (Matter.CRITERIA, Matter.THRESHOLDS)
    )
    return stopped or draft.files != before, figures_stopped or figures_of(draft) != figures_in_force()


def figures_of(draft: CriteriaDraft) -> dict[str, Any]:
    """The draft's figures of capacity: those written in it, or those in force as long as nobody wrote any.

    Else a draft of points alone would take back a capacity that was approved since it was begun.
    """
    is_written = draft.saves.filter(entry=CAPACITY_ENTRY).exists()
    return dict(draft.thresholds) if is_written else figures_in_force()


def figures_in_force() -> dict[str, Any]:
    """The figures of capacity that judge now, without the name of their version; also where they must be mended first."""
    figures, _ = as_written(in_force(settings.HOME, settings.MUNICIPALITY))
    return {key: value for key, value in figures.items() if key != "title"}


def texts_in_force() -> dict[str, str]:
    """The criteria files that judge now."""
    return adoption.texts_of(in_force(settings.HOME, settings.MUNICIPALITY).criteria_folder)


def submit(draft: CriteriaDraft, *, by: Actor, reason: str, at: dt.datetime) -> None:
    """Put the draft up for approval. It isn't changed any more.

    Raises:
        NotAcceptable: nothing differs from the version in force; not open; no reason; its name is taken.
        Faulty: a rule of the loader changed meanwhile and it would not load.
        VersionConflict: somebody saved meanwhile.
    """
    _check_open(draft)
    if not reason.strip():
        raise NotAcceptable("何をなぜ変えたかを書いてください。")
    criteria, figures = is_changed(draft)
    faults = figures_faults(figures_of(draft))[1]
    if faults:
        raise NotAcceptable(
            f"{'、'.join(dict.fromkeys(faults.values()))}この枠のままでは判定できません。",
            then="「枠」の画面で、その行の枠を空にするか、いまの部署に直して保存してから、承認を求めてください。",
        )
    if not (criteria or figures):
        raise NotAcceptable("いま使われている版から何も変わっていないので、承認を求めるものがありません。")
    if criteria:
        _check_title(draft.title, but=draft.pk)
        check(by, draft.files)
    authors = sorted({draft.begun_by, *draft.saves.values_list("saved_by", flat=True)})
    event = trail.event_of(by, "SUBMIT_DRAFT", reason=reason, detail={"draft": draft.pk, "what": draft.title})
    with laid_out(draft.files) as folder, trail.recorded(event, at):
        own = CriteriaDraft.objects.filter(pk=draft.pk, revision=draft.revision, state=DraftState.OPEN)
        if not own.update(state=DraftState.SUBMITTED, submitted_by=by.username, submitted_at=at):
            raise VersionConflict("ほかの人が先に保存しました。", then="いまの内容を確かめてください。")
        found = adoption.submit(
            settings.HOME, folder if criteria else None,
            {**figures_of(draft), "title": draft.title} if figures else None,
            by=person_of(by), authors=authors, reason=reason, at=at,
        )  # fmt: skip
        CriteriaDraft.objects.filter(pk=draft.pk).update(
            criteria_version=found.get(Matter.CRITERIA, ""), thresholds_version=found.get(Matter.THRESHOLDS, "")
        )


def drop(draft: CriteriaDraft, *, by: Actor, at: dt.datetime) -> None:
    """Give an open draft up. It stays readable. Raises NotAcceptable, or VersionConflict where somebody submitted meanwhile."""
    _check_open(draft)
    with trail.recorded(trail.event_of(by, "DROP_DRAFT", detail={"draft": draft.pk, "what": draft.title}), at):
        if not CriteriaDraft.objects.filter(pk=draft.pk, state=DraftState.OPEN).update(state=DraftState.DROPPED):
            raise VersionConflict("ほかの人が先に承認を求めました。", then="いまの内容を確かめてください。")


def person_of(actor: Actor) -> Person:
    """The signed-in person as the book of approvals names people."""
    return Person(actor.name, actor.role, actor.office, actor.username, is_signed_in=True)


def seen(*entries: Any) -> str:
    """A short mark of what a form was opened with: saved only while it is still that."""
    body = json.dumps(entries, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(body.encode()).hexdigest()[:24]


def figures_faults(figures: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Figures of capacity as the version counts them, and their faults by name."""
    return checked(figures, settings.MUNICIPALITY)


def _check_open(draft: CriteriaDraft) -> None:
    if draft.state != DraftState.OPEN:
        raise NotAcceptable(
            f"この案は「{DraftState(draft.state).label}」ので、直せません。",
            then="続けて直すときは、この版から新しい案をつくってください。",
        )


def _check_title(title: str, but: int = 0) -> None:
    if not title:
        raise NotAcceptable("版の名前を書いてください。")
    carried = set(CriteriaDraft.objects.exclude(criteria_version="").values_list("criteria_version", flat=True))
    taken = {
        one.title
        for one in adoption.versions(settings.HOME, settings.MUNICIPALITY, Matter.CRITERIA)
        # What a submission that broke off put into the book is no draft's: its name stays free, to be sent again.
        if not (one.origin == SITE and one.state is State.PROPOSED and one.version not in carried)
    }
    open_ones = CriteriaDraft.objects.filter(title=title, state=DraftState.OPEN).exclude(pk=but)
    if title in taken or open_ones.exists():
        raise NotAcceptable(f"「{title}」という名前の版か案が、もうあります。別の名前にしてください。")
