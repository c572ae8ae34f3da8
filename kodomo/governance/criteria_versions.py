"""Which version of criteria and thresholds a municipality's folder holds, and whether it may be used (crosscutting).

The *version* of the criteria is the digest of the bytes of the four files under ``criteria/``; whatever is
changed in them is another version. The version of the thresholds is the digest of ``[capacity]``'s figures.

``settings.toml`` may say ``[approval] required = true | false``:

true
    Only a version that two different named people approved is used, by the book of approvals or by
    ``criteria/approvals.toml``.
not written
    The same from the first act of the book on; until then the two names under ``[[approved_by]]`` in
    ``scenarios.toml`` suffice, though they are not bound to what the files say (``DECLARED``).
false
    The two names suffice for good. For trials.

``criteria/approvals.toml`` brings approvals along as data, one ``[[approvals]]`` for each person: ``matter``
(判定基準 | レベルのしきい値), ``version``, ``name``, ``role``, ``office``, ``on``, ``reason``. It is no part of the version.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kodomo.configuration import Home, Municipality, read_toml
from kodomo.errors import ConfigurationFault, WrongUsage
from kodomo.governance import approvals
from kodomo.governance.approvals import APPROVERS, Act, Matter, Person, Standing, State, Step
from kodomo.governance.permissions import Role
from kodomo.governance.thresholds import as_written, figures_version, thresholds

FILES = ("indicators.toml", "coverage.toml", "scenarios.toml", "labels.toml")
"""In the order in which their digests make the version."""
APPROVALS = "approvals.toml"
DECLARED = "DECLARED"
"""Two names stand in the file itself, bound to nothing it says."""
NEWEST = 12
KEYS = {"matter", "version", "name", "role", "office", "on", "reason"}


class NotApproved(ConfigurationFault):
    """The criteria or thresholds at hand have not been approved by two different people."""


@dataclass(frozen=True)
class InUse:
    """A version that may be used, and by whose approval: ``APPROVED`` or ``DECLARED``."""

    matter: Matter
    version: str
    approval: str
    approved_by: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """For manifests."""
        return {"sha256": self.version, "approval": self.approval, "approved_by": list(self.approved_by)}


def combined_version(digests: Sequence[str]) -> str:
    """The version of several files, from the digest of each in the order of ``FILES``."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def criteria_files(folder: Path) -> dict[str, str]:
    """The digest of each criteria file of a municipality's folder. Raises ConfigurationFault where one is missing."""
    found = {}
    for name in FILES:
        path = folder / "criteria" / name
        if not path.is_file():
            raise ConfigurationFault(
                "判定基準のファイルがありません。", where=str(path), then="自治体フォルダを確かめてください。"
            )
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def criteria_version(folder: Path) -> str:
    """The version of the criteria as they lie in a municipality's folder now."""
    return combined_version(list(criteria_files(folder).values()))


def thresholds_version(municipality: Municipality) -> str:
    """The version of the thresholds, whether or not they hold together: what is to be mended has a version too."""
    return figures_version(as_written(municipality)[0])


def version_of(municipality: Municipality, matter: Matter) -> str:
    """The version at hand of 判定基準 or レベルのしきい値."""
    return (
        criteria_version(municipality.criteria_folder)
        if matter is Matter.CRITERIA
        else thresholds_version(municipality)
    )


def check_usable(home: Home, municipality: Municipality) -> tuple[InUse, InUse]:
    """The criteria and thresholds at hand, where they may be used.

    Returns:
        Criteria and thresholds, each with the approvals that bear it.

    Raises:
        NotApproved: two different people have not approved it, or it was withdrawn.
        ConfigurationFault: a file is missing, or ``approvals.toml`` or the figures of capacity do not hold together.
    """
    thresholds(municipality)
    return _usable(home, municipality, Matter.CRITERIA), _usable(home, municipality, Matter.THRESHOLDS)


def _usable(home: Home, municipality: Municipality, matter: Matter) -> InUse:
    now = standing(home, municipality, matter)
    if now.state is State.APPROVED:
        return InUse(matter, now.version, State.APPROVED.value, tuple(_who(act) for act in now.approvals))
    declared = declared_approvers(municipality, matter)
    is_declared = matter is Matter.THRESHOLDS or len({one["name"] for one in declared}) >= APPROVERS
    may_declare = now.state is not State.WITHDRAWN and not is_required(home, municipality, matter)
    if not (may_declare and is_declared):
        raise _refusal(municipality, now, may_declare)
    return InUse(matter, now.version, DECLARED, declared)


TRIAL = "試すだけなら、criteria/scenarios.toml の [[approved_by]] に二人の名前を書いても使えます。"


def _refusal(municipality: Municipality, now: Standing, may_declare: bool) -> NotApproved:
    given = "、".join(act.by.name for act in now.approvals) or "なし"
    file = "settings.toml [capacity]" if now.matter is Matter.THRESHOLDS else "criteria/"
    return NotApproved(
        f"{now.matter.label}の版 {now.version[:12]} は、異なる二人の承認がそろっていないので使えません"
        f"(状態: {now.state.label}、承認した人: {given})。",
        where=str(municipality.folder / file),
        then="kodomo criteria status で版を確かめ、kodomo criteria propose と approve で二人の承認を受けてください。"
        + (TRIAL if may_declare else ""),
        version=now.version, state=now.state.value, lacking=now.lacking,
    )  # fmt: skip


def standing(home: Home, municipality: Municipality, matter: Matter) -> Standing:
    """How the version at hand stands, by the book and by what the folder brings along."""
    brought = brought_approvals(municipality.folder)
    return approvals.standing(home, matter, version_of(municipality, matter), brought)


def is_required(home: Home, municipality: Municipality, matter: Matter) -> bool:
    """Whether only a version approved by its digest may be used: see the module's words on ``[approval]``.

    Raises:
        ConfigurationFault: ``required`` is neither true nor false.
    """
    said = municipality.extras.get("approval", {})
    required = said.get("required") if isinstance(said, dict) else "?"
    if required is not None and not isinstance(required, bool):
        raise ConfigurationFault(
            "[approval] required は true か false で書いてください。", where=str(municipality.folder / "settings.toml")
        )
    return bool(approvals.history(home, matter)) if required is None else required


def declared_approvers(municipality: Municipality, matter: Matter) -> tuple[dict[str, Any], ...]:
    """Names that stand in the file itself, beside what they may or may not have read."""
    if matter is Matter.THRESHOLDS:
        by = municipality.extras.get("capacity", {}).get("decided_by", "")
        return ({"name": str(by)},) if by else ()
    listed = read_toml(municipality.criteria_folder / "criteria" / "scenarios.toml").get("approved_by", [])
    return tuple(
        {"name": str(one.get("name", "")), "office": str(one.get("office", "")), "on": str(one.get("on", ""))}
        for one in listed
        if isinstance(one, dict)
    )


def brought_approvals(folder: Path) -> list[Act]:
    """Approvals that come as data with a municipality's folder; empty without the file.

    Raises:
        ConfigurationFault: naming every entry that does not hold together.
    """
    path = folder / "criteria" / APPROVALS
    if not path.exists():
        return []
    entries, faults = read_toml(path).get("approvals", []), []
    acts: list[Act] = []
    for number, entry in enumerate(entries if isinstance(entries, list) else [], 1):
        fault = _entry_fault(entry)
        if fault:
            faults.append(f"[[approvals]] {number} 番目: {fault}")
        else:
            by = Person(entry["name"], Role(entry["role"]), entry.get("office", ""))
            matter = Matter.from_label(entry["matter"])
            acts.append(Act(0, entry["on"].isoformat(), matter, entry["version"], Step.APPROVE, by, entry["reason"]))
    if faults:
        raise ConfigurationFault(
            f"承認のファイルに直すところが {len(faults)} か所あります。", where=f"{path}\n  " + "\n  ".join(faults),
            then="示した行を直して、もう一度実行してください。", faults=len(faults),
        )  # fmt: skip
    return acts


def _entry_fault(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "[[approvals]] の形で書いてください。"
    missing = [key for key in ("matter", "version", "name", "role", "reason") if not str(entry.get(key, "")).strip()]
    if missing or not isinstance(entry.get("on"), dt.date):
        return f"{'・'.join(missing) or 'on(2026-03-01 の形の日付)'} が書かれていません。"
    if set(entry) - KEYS:
        return f"知らないキーです: {'・'.join(sorted(set(entry) - KEYS))}"
    if entry["matter"] not in (Matter.CRITERIA.label, Matter.THRESHOLDS.label):
        return f"matter は {Matter.CRITERIA.label}・{Matter.THRESHOLDS.label} のどちらかです。"
    allowed = approvals.MAY[Step.APPROVE]
    if entry["role"] not in {role.value for role in allowed}:
        return f"role は承認できる役割({'・'.join(sorted(role.value for role in allowed))})で書いてください。"
    return ""


def status(home: Home, municipality: Municipality) -> dict[str, Any]:
    """The versions at hand, how each stands, and what changed since the version approved last.

    Reads the folder and the book; writes nothing.
    """
    parts = {}
    for matter in (Matter.CRITERIA, Matter.THRESHOLDS):
        now = standing(home, municipality, matter)
        try:
            usable: str | None = _usable(home, municipality, matter).approval
        except NotApproved:
            usable = None
        parts[matter.value.lower()] = {
            "version": now.version,
            "state": now.state.value,
            "state_label": now.state.label,
            "lacking": now.lacking,
            "required": is_required(home, municipality, matter),
            "usable": usable,
            "is_from_one_account": now.is_from_one_account,
            "approvals": [act.as_json() for act in now.approvals],
            "history": [act.as_json() for act in now.acts],
        }
    parts["criteria"]["files"] = criteria_files(municipality.criteria_folder)
    parts["criteria"]["changed"] = changed_files(home, municipality)
    figures, faults = as_written(municipality)
    parts["thresholds"] |= {"figures": figures, "faults": list(dict.fromkeys(faults.values()))}
    return parts


def lines(result: Mapping[str, Any]) -> list[str]:
    """``status`` as lines for people."""
    found = []
    for matter in (Matter.CRITERIA, Matter.THRESHOLDS):
        part = result[matter.value.lower()]
        use = {None: "使えません", DECLARED: "使えます(ファイルの中の記載による。版とは結び付いていない)"}
        found.append(f"{matter.label} {part['version']}")
        found.append(f"  {part['state_label']}・{use.get(part['usable'], '使えます')}")
        for act in part["approvals"]:
            kind = "自治体フォルダ" if act["from_folder"] else "帳簿"
            found.append(f"  承認 {act['at'][:10]} {act['name']}({Role(act['role']).label}) {act['reason']}[{kind}]")
        found += [f"  判定できません: {fault}" for fault in part.get("faults", ())]
        if part["is_from_one_account"]:
            found.append("  注意: 二人の承認が、同じ利用者の端末から入力されています。")
    changed = result["criteria"]["changed"]
    if changed:
        found.append(f"  前に承認された版から変わったファイル: {'、'.join(changed)}")
    return found


def changed_files(home: Home, municipality: Municipality) -> list[str] | None:
    """Criteria files that differ from the version approved last; None where none was, or no copy of it is kept."""
    brought = brought_approvals(municipality.folder)
    for act in reversed([*brought, *approvals.history(home, Matter.CRITERIA)]):
        if act.matter is not Matter.CRITERIA or act.step is not Step.APPROVE:
            continue
        if approvals.standing(home, Matter.CRITERIA, act.version, brought).state is State.APPROVED:
            kept = kept_copy(home, act.version)
            if not kept.exists():
                return None
            before, now = criteria_files(kept), criteria_files(municipality.criteria_folder)
            return [name for name in FILES if before[name] != now[name]]
    return None


SETTLED = {Step.PROPOSE: (State.PROPOSED, State.APPROVED), Step.APPROVE: (State.APPROVED,)}
"""States in which a step changes nothing: who alters the criteria alone proposes and approves with thresholds that stand."""


def act_on(
    home: Home,
    municipality: Municipality,
    step: Step,
    matters: Sequence[Matter],
    *,
    by: Person,
    reason: str,
    at: dt.datetime,
    version: str | None = None,
) -> list[Standing]:
    """Propose, approve or withdraw what the folder holds now.

    Args:
        matters: 判定基準, レベルのしきい値 or both; of both, one that the step has nothing left to do for is passed over.
        version: the beginning of the version the person looked at; refused when the folder holds another by now.

    Raises:
        WrongUsage: the folder holds another version, or a version is given for two matters at once.
        StaffError, NotPermitted: as ``governance.approvals``.
    """
    if version and len(matters) != 1:
        raise WrongUsage("版を示すときは、判定基準かしきい値のどちらか一つにしてください。", where="--part")
    brought = brought_approvals(municipality.folder)
    done = []
    states = {m: approvals.standing(home, m, version_of(municipality, m), brought).state for m in matters}
    for matter in [m for m in matters if states[m] not in SETTLED.get(step, ())] or matters:
        now = version_of(municipality, matter)
        if version and not now.startswith(version):
            raise WrongUsage(
                f"いまの{matter.label}は、示された版ではありません。", where=f"いま {now[:12]}、示された版 {version[:12]}",
                then="kodomo criteria status で確かめてから、やり直してください。",
            )  # fmt: skip
        words: dict[str, Any] = {"by": by, "reason": reason, "at": at, "brought": brought}
        if step is Step.PROPOSE:
            if matter is Matter.CRITERIA:
                keep_copy(home, municipality.folder)
            files = (
                criteria_files(municipality.criteria_folder) if matter is Matter.CRITERIA else thresholds(municipality)
            )
            done.append(approvals.propose(home, matter, now, detail={"contents": files}, **words))
        else:
            one = approvals.approve if step is Step.APPROVE else approvals.withdraw
            done.append(one(home, matter, now, **words))
    return done


def kept_copy(home: Home, version: str) -> Path:
    """Where the copy of a criteria version lies: a folder that ``read_all_criteria`` can read."""
    return home.governance / "criteria" / version


def judged_with(home: Home) -> list[Path]:
    """The newest kept copies, the latest first: what casework shows was judged with one of them."""
    copies = home.governance / "criteria"
    # A copy that was broken off keeps its dot: it may hold half a file.
    kept = [one for one in copies.iterdir() if not one.name.startswith(".")] if copies.is_dir() else []
    found = [one for one in kept if (one / "criteria").is_dir()]
    return sorted(found, key=lambda one: one.stat().st_mtime_ns, reverse=True)[:NEWEST]


def keep_copy(home: Home, folder: Path) -> Path:
    """Keep the criteria as they are now, so that what was approved or learned with can be read for ever."""
    target = kept_copy(home, criteria_version(folder))
    if not target.exists():
        aside = target.with_name(f".{target.name}.partial")
        shutil.rmtree(aside, ignore_errors=True)
        (aside / "criteria").mkdir(parents=True)
        for name in FILES:
            shutil.copyfile(folder / "criteria" / name, aside / "criteria" / name)
        aside.rename(target)
    return target


def _who(act: Act) -> dict[str, Any]:
    return {
        "name": act.by.name, "role": act.by.role.value, "office": act.by.office, "on": act.at[:10], "reason": act.reason,
        "from_folder": act.sequence == 0,
    }  # fmt: skip
