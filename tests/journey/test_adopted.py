"""A version of the criteria adopted on the site is what a whole ``judge`` run uses, and going back to the files' is too."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from journey.walk import AS_OF, Journey

from kodomo.configuration import Home, Municipality
from kodomo.governance import adoption
from kodomo.governance.approvals import Matter, Person, Step
from kodomo.governance.criteria_text import with_entry, with_top
from kodomo.governance.criteria_versions import criteria_version
from kodomo.governance.permissions import Role
from kodomo.governance.thresholds import figures_version
from kodomo.store.database import Store

AT = dt.datetime(2026, 4, 2, 9, 0, tzinfo=dt.UTC)
RIN = Person("江藤 凛", Role.ANALYST, account="rin", is_signed_in=True)
TWO = (
    Person("大野 統子", Role.COORDINATOR, account="toko", is_signed_in=True),
    Person("工藤 忍", Role.APPROVER, account="shinobu", is_signed_in=True),
)
POINT = "n_absence_3m_15"


@pytest.fixture(scope="module")
def walked(journey: Journey, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """The walked path's home, copied: what is adopted here judges nobody else's test."""
    root = tmp_path_factory.mktemp("adopted")
    shutil.copytree(journey.home.root, root / "home")
    return Journey(Home(root / "home"), journey.city)


def adopt(home: Home, files: Path, figures: dict[str, Any] | None) -> dict[Matter, str]:
    """As the site does it: put up by the analyst, approved by two other people."""
    found = adoption.submit(home, files, figures, by=RIN, authors=["rin"], reason="見直し", at=AT)
    for matter, version in found.items():
        for person in TWO:
            adoption.decide(home, matter, version, Step.APPROVE, by=person, reason="確かめた", at=AT)
    return found


def written(hinata: Municipality, folder: Path, title: str, points: float | None) -> Path:
    """Criteria as the site's editor leaves them: the shipped ones under a name, with one line's points changed."""
    texts = adoption.texts_of(hinata.folder)
    texts["scenarios.toml"] = with_top(texts["scenarios.toml"], "version", title)
    if points is not None:
        texts["scenarios.toml"] = with_entry(texts["scenarios.toml"], "points", POINT, {"points": points})
    (folder / "criteria").mkdir(parents=True)
    for name, text in texts.items():
        (folder / "criteria" / name).write_text(text, encoding="utf-8")
    return folder


def judged(walked: Journey) -> tuple[dict[str, Any], dict[tuple[str, str], float]]:
    """What the run printed, its manifest, and the staff score of non-attendance by child."""
    walked.run("judge", "--as-of", AS_OF)
    snapshot = Store(walked.home.store).current("judgements")
    assert snapshot is not None
    columns = ["child_key", "type", "method", "score"]
    rows = pq.read_table(snapshot.file("judgements"), columns=columns).to_pylist()
    scores = {(r["child_key"], r["type"]): r["score"] for r in rows if r["method"] == "SCENARIO"}
    return {**snapshot.manifest, "name": snapshot.path.name}, scores


def test_a_version_adopted_on_the_site_judges_and_so_does_the_one_gone_back_to(
    walked: Journey, hinata: Municipality, tmp_path: Path
) -> None:
    shipped = criteria_version(hinata.folder)
    before = Store(walked.home.store).current("judgements")
    assert before is not None and before.manifest["criteria"]["sha256"] == shipped
    figures = {"high": 0.05, "middle": 0.1, "band": 0.005, "title": "第2版"}
    found = adopt(walked.home, written(hinata, tmp_path / "second", "第2版", 40.0), figures)
    second, changed = judged(walked)
    assert second["criteria"]["sha256"] == found[Matter.CRITERIA] != shipped
    assert (second["criteria"]["version"], second["criteria"]["approval"]) == ("第2版", "APPROVED")
    assert {one["name"] for one in second["criteria"]["approved_by"]} == {one.name for one in TWO}
    assert second["thresholds"]["sha256"] == found[Matter.THRESHOLDS] == figures_version(figures)
    assert second["capacity"] == {"high": 0.05, "middle": 0.1}
    assert found[Matter.CRITERIA][:12] in second["name"], "the digest names the judgement itself"
    back = adopt(walked.home, written(hinata, tmp_path / "back", "第3版(第1版に戻す)", None), None)
    third, restored = judged(walked)
    assert third["criteria"]["sha256"] == back[Matter.CRITERIA] and third["criteria"]["version"].startswith("第3版")
    assert changed.keys() == restored.keys()
    differing = {key for key, score in changed.items() if score != restored[key]}
    assert differing and {kind for _, kind in differing} <= {"NON_ATTENDANCE", "OVERALL"}, (
        "only the line that was changed"
    )
    told = walked.run("criteria", "status")
    assert told["criteria"]["version"] == back[Matter.CRITERIA]
