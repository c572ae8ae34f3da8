"""A version of the criteria written on the site: put up for approval, decided by two people, listed, taken out as files (crosscutting).

What was written lies in the home (``governance/criteria/<version>/``), never in the program's or the municipality's
folder; figures of capacity lie in the book itself, in the proposal's detail.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kodomo.configuration import Home, Municipality, read_toml
from kodomo.errors import WrongUsage
from kodomo.governance import approvals
from kodomo.governance.approvals import Act, Matter, Person, State, Step
from kodomo.governance.criteria_in_force import SITE, adopted
from kodomo.governance.criteria_versions import (
    FILES,
    brought_approvals,
    criteria_files,
    criteria_version,
    keep_copy,
    kept_copy,
)
from kodomo.governance.thresholds import as_settings, figures_version, thresholds


@dataclass(frozen=True)
class Version:
    """One version of criteria or thresholds the book or the folder knows of.

    ``title`` is what staff call it; ``origin`` is ``SITE`` or ``FILES``; ``is_in_force`` says that it judges now.
    """

    matter: Matter
    version: str
    title: str
    origin: str
    state: State
    approvals: tuple[Act, ...]
    acts: tuple[Act, ...]
    is_in_force: bool


def submit(
    home: Home,
    files: Path | None,
    figures: Mapping[str, Any] | None,
    *,
    by: Person,
    authors: Sequence[str],
    reason: str,
    at: dt.datetime,
) -> dict[Matter, str]:
    """Put what was written on the site up for approval: criteria files, thresholds or both. Returns the versions.

    Args:
        files: a folder that holds ``criteria/``; None where only thresholds changed.
        figures: as ``thresholds.checked`` gives them; None where only criteria changed.
        authors: accounts that wrote it, for the book.

    Raises:
        WrongUsage: neither is given.
        StaffError: the version waits or is approved already; or as ``approvals.enter``.
    """
    found: dict[Matter, str] = {}
    told: dict[str, Any] = {"origin": SITE, "authors": list(authors)}
    words: dict[str, Any] = {"by": by, "reason": reason, "at": at}
    if files is not None:
        keep_copy(home, files)
        found[Matter.CRITERIA] = criteria_version(files)
        detail = {"contents": criteria_files(files), "title": title_of(files), **told}
        _propose(home, Matter.CRITERIA, found[Matter.CRITERIA], detail=detail, **words)
    if figures is not None:
        found[Matter.THRESHOLDS] = figures_version(figures)
        detail = {"contents": dict(figures), "title": str(figures.get("title", "")), **told}
        _propose(home, Matter.THRESHOLDS, found[Matter.THRESHOLDS], detail=detail, **words)
    if not found:
        raise WrongUsage("何も変わっていないので、承認を求めるものがありません。")
    return found


def _propose(home: Home, matter: Matter, version: str, **words: Any) -> None:
    """Propose what isn't proposed yet: a submission that stopped half-way may be sent again."""
    if approvals.standing(home, matter, version).state is not State.PROPOSED:
        approvals.propose(home, matter, version, **words)


def decide(
    home: Home, matter: Matter, version: str, step: Step, *, by: Person, reason: str, at: dt.datetime
) -> approvals.Standing:
    """Approve or withdraw a version that was written on the site.

    Raises:
        NotPermitted, StaffError: as ``governance.approvals``.
    """
    words: dict[str, Any] = {"by": by, "reason": reason, "at": at}
    if step is Step.WITHDRAW:
        return approvals.withdraw(home, matter, version, **words)
    return approvals.approve(home, matter, version, **words)


def versions(home: Home, municipality: Municipality, matter: Matter) -> list[Version]:
    """Every version, the newest proposal first, then the folder's own.

    Args:
        municipality: as its folder says, not as ``in_force`` gives it.
    """
    acts = approvals.history(home, matter)
    brought = brought_approvals(municipality.folder) if matter is Matter.CRITERIA else []
    chosen = adopted(acts)
    own = _own(municipality, matter)
    names = list(dict.fromkeys([*(act.version for act in reversed(acts) if act.step is Step.PROPOSE), own]))
    return [
        _version(home, municipality, matter, name, [*brought, *acts], name == (chosen.version if chosen else own))
        for name in names
    ]


def site_version(home: Home, municipality: Municipality, matter: Matter, step: Step, prefix: str | None) -> str | None:
    """The version written on the site that an act on the command line means; None where it means the files.

    A beginning of a version names it; without one a withdrawal means what judges now.
    """
    listed = versions(home, municipality, matter)
    own = _own(municipality, matter)
    if step is Step.PROPOSE or (prefix and own.startswith(prefix)):
        return None
    meant = [
        one.version
        for one in listed
        if one.origin == SITE
        and (one.version.startswith(prefix) if prefix else one.is_in_force and step is Step.WITHDRAW)
    ]
    if len(meant) > 1:
        raise WrongUsage("その始まりの版は、いくつもあります。", where="--version", then="もっと長く書いてください。")
    return meant[0] if meant else None


def origins(home: Home, municipality: Municipality) -> dict[str, Any]:
    """Where criteria and thresholds in force come from, and how the folder's files stand to them.

    Args:
        municipality: as its folder says.
    """
    found: dict[str, Any] = {}
    for matter in (Matter.CRITERIA, Matter.THRESHOLDS):
        chosen = adopted(approvals.history(home, matter))
        own = _own(municipality, matter)
        found[matter.value.lower()] = {
            "origin": SITE if chosen is not None else "FILES",
            "version": chosen.version if chosen is not None else own,
            "files_version": own,
            "files_are_the_same": chosen is None or chosen.version == own,
        }
    return found


def lines(told: Mapping[str, Any]) -> list[str]:
    """``origins`` as lines for people."""
    found = []
    for matter in (Matter.CRITERIA, Matter.THRESHOLDS):
        part = told[matter.value.lower()]
        if part["origin"] == SITE:
            found.append(f"{matter.label}: 画面で承認された版を使っています。")
            if not part["files_are_the_same"]:
                found.append(
                    f"  自治体フォルダのファイルは別の版です({part['files_version'][:12]})。判定には使われません。"
                )
        else:
            found.append(f"{matter.label}: 自治体フォルダのファイルを使っています。")
    return found


def _own(municipality: Municipality, matter: Matter) -> str:
    if matter is Matter.CRITERIA:
        return criteria_version(municipality.folder)
    return figures_version(thresholds(municipality))


def _version(
    home: Home, municipality: Municipality, matter: Matter, name: str, acts: list[Act], is_in_force: bool
) -> Version:
    now = approvals.stand(acts, matter, name)
    proposal = next((act for act in reversed(now.acts) if act.step is Step.PROPOSE), None)
    detail = proposal.detail if proposal else {}
    folder = folder_of(home, municipality, name) if matter is Matter.CRITERIA else None
    title = str(detail.get("title", "")) or (title_of(folder) if folder else "")
    return Version(
        matter, name, title, str(detail.get("origin", "FILES")), now.state, now.approvals, now.acts, is_in_force
    )


def folder_of(home: Home, municipality: Municipality, version: str) -> Path | None:
    """The folder that holds a version's criteria files: its kept copy, or the municipality's own; None where it's gone."""
    if criteria_version(municipality.folder) == version:
        return municipality.folder
    copy = kept_copy(home, version)
    return copy if (copy / "criteria").is_dir() else None


def texts_of(folder: Path) -> dict[str, str]:
    """The criteria files of a folder, by name. Raises ConfigurationFault where one is missing or no TOML."""
    found = {}
    for name in FILES:
        read_toml(folder / "criteria" / name)
        found[name] = (folder / "criteria" / name).read_text(encoding="utf-8-sig")
    return found


def title_of(folder: Path) -> str:
    """What the point table calls its version."""
    return str(read_toml(folder / "criteria" / "scenarios.toml").get("version", ""))


def export(municipality: Municipality, out: Path) -> dict[str, Any]:
    """Write the criteria and thresholds that judge as files a municipality's folder can take over.

    Writes ``criteria/`` and ``capacity.toml`` (the lines for ``settings.toml``) into an empty or new folder.

    Args:
        municipality: as ``in_force`` gives it.

    Raises:
        WrongUsage: the folder holds something.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WrongUsage("書き出す先は、ないか空のフォルダにしてください。", where=str(out))
    (out / "criteria").mkdir(parents=True)
    for name in FILES:
        shutil.copyfile(municipality.criteria_folder / "criteria" / name, out / "criteria" / name)
    (out / "capacity.toml").write_text(as_settings(thresholds(municipality)), encoding="utf-8")
    return {
        "out": str(out),
        "version": criteria_version(municipality.criteria_folder),
        "files": [*FILES, "capacity.toml"],
    }
