"""The stage itself: four tables in the store, the same each time, with all versions in the manifest."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kodomo.configuration import Home, Municipality
from kodomo.errors import NotReady
from kodomo.features.build import build_features
from kodomo.governance.criteria_versions import NotApproved
from kodomo.judgement import learning
from kodomo.judgement.capacities import Capacities
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.export import COLUMNS, export_judgements
from kodomo.judgement.levels import Capacity
from kodomo.judgement.run import judge_cohort
from kodomo.judgement.scenarios import judge_scenario
from kodomo.judgement.tables import judgement_tables
from kodomo.store.database import JUDGEMENT_TABLES, Store
from kodomo.terms import DifficultyType, Level

from .conftest import AS_OF, SCENARIOS, TYPES, Town, write_criteria

AT = dt.datetime(2026, 4, 2, 9, 0, tzinfo=dt.UTC)
HEIGHT = {"LOW": 0, "MIDDLE": 1, "HIGH": 2}
ITEMS = ("absence_days", "late_days", "school_days", "water_arrears_months", "council_registration")


@pytest.fixture
def installation(
    town: Town, tmp_path: Path, hinata: Municipality, monkeypatch: pytest.MonkeyPatch
) -> tuple[Home, Municipality]:
    home = Home(tmp_path / "home")
    shutil.copytree(town.root / "store", home.store)
    folder = write_criteria(tmp_path / "m")
    for name in ("settings.toml", "offices.toml"):
        shutil.copy(hinata.folder / name, folder / name)
    shutil.copytree(hinata.folder / "register", folder / "register")
    monkeypatch.setattr(learning.Plan, "__init__", _quick(learning.Plan.__init__))
    # Approved by the two names in the file itself, as a folder without a book of approvals is.
    extras = {name: part for name, part in hinata.extras.items() if name != "approval"}
    return home, replace(hinata, folder=folder, types=TYPES, extras=extras)


def _quick(original):  # type: ignore[no-untyped-def]
    def init(self, horizon_months, rows="both", seed=20260401, bags=2, rounds=30):  # type: ignore[no-untyped-def]
        original(self, horizon_months, rows, seed, bags, rounds)

    return init


def test_judging_twice_gives_the_same_tables(installation: tuple[Home, Municipality]) -> None:
    home, municipality = installation
    results = [judge_cohort(home=home, municipality=municipality, as_of=AS_OF, at=AT) for _ in range(2)]
    assert results[0]["judgements"] != results[1]["judgements"]
    assert results[0]["model"] == results[1]["model"]
    for name in JUDGEMENT_TABLES:
        one, two = (Path(str(r["path"])) / f"{name}.parquet" for r in results)
        assert pq.read_table(one).equals(pq.read_table(two))
        assert hashlib.sha256(one.read_bytes()).digest() == hashlib.sha256(two.read_bytes()).digest()
    manifest = Store(home.store).current("judgements").manifest  # type: ignore[union-attr]
    assert manifest["as_of"] == "2026-03-31" and manifest["snapshot"] == "s1"
    assert manifest["criteria"]["version"] == "試験-1" and len(manifest["criteria"]["sha256"]) == 64
    assert manifest["criteria"]["approval"] == "DECLARED" and manifest["thresholds"]["band"] == 0.005
    assert [one["name"] for one in manifest["criteria"]["approved_by"]] == ["甲", "乙"]
    assert manifest["levels_held_from"] == results[0]["judgements"]
    assert manifest["learned"]["horizon_months"] == 6
    models = home.store / "models" / str(manifest["model"])
    assert (models / "models.json").exists() and list(models.glob("*.txt"))

    table = pq.read_table(Path(str(results[0]["path"])) / "judgements.parquet").to_pylist()
    assert {r["type"] for r in table} == {"NON_ATTENDANCE", "POVERTY", "OVERALL"}
    assert {r["level"] for r in table} <= {level.value for level in Level}
    told = [r for r in table if r["level"] != "NOT_APPLICABLE" and r["type"] != "OVERALL"]
    assert all((r["is_disputed"] is None) is (r["method"] != "COMBINED") for r in told)
    combined = [r for r in told if r["method"] == "COMBINED"]
    ranged = [r for r in combined if r["score_low"] is not None]
    assert ranged and all(r["score_low"] <= r["score"] <= r["score_high"] for r in ranged)
    swaying = [r for r in combined if r["level_high"] is not None]
    assert swaying and not any(r["escalation"] or r["level"] == "INSUFFICIENT" for r in swaying)
    assert all(HEIGHT[r["level_low"]] <= HEIGHT[r["level"]] <= HEIGHT[r["level_high"]] for r in swaying)
    assert any(r["level_high"] != r["level"] for r in swaying) and any(r["level_low"] != r["level"] for r in swaying)
    ends = ("score_low", "score_high", "level_low", "level_high")
    assert not any(r[end] for r in table if r not in combined for end in ends)
    ranges = manifest["ranges"]["NON_ATTENDANCE"]
    own = [r for r in swaying if r["type"] == "NON_ATTENDANCE"]
    assert ranges["raised"] + ranges["low"] == len(own)
    card = (models / "model_card.md").read_text(encoding="utf-8")
    assert "## 判定の幅" in card and "一人のこどもの確率の幅ではない" in card
    (low, high), (_, less) = ranges["rate_at"]["2"], ranges["rate_at"]["10"]
    assert 0 < low < high and less <= high and f"{100 * low:.1f}–{100 * high:.1f} %" in card
    saved = json.loads((models / "models.json").read_text(encoding="utf-8"))["models"]["NON_ATTENDANCE"]
    assert len(saved["rates"]["weights"]) == len(saved["rates"]["knots"]) + 2 and len(saved["sway"]["spreads"]) == 8
    for method in {r["method"] for r in told}:
        own = sorted(
            (r for r in told if (r["type"], r["method"]) == ("NON_ATTENDANCE", method)), key=lambda r: r["score"]
        )
        places = [r["standing"] for r in own]
        assert places == sorted(places) and places[0] > 0 and 0.99 < places[-1] + 1 / len(own) <= 1 + 1 / len(own)
    drawn = pq.read_table(Path(str(results[1]["path"])) / "audit_draws.parquet")["child_key"].to_pylist()
    raised = {r["child_key"] for r in table if r["method"] == "COMBINED" and r["level"] in ("HIGH", "MIDDLE")}
    assert len(drawn) == results[0]["drawn"] == 25 and not raised & set(drawn)

    subjects = pq.read_table(Path(str(results[0]["path"])) / "subjects.parquet").to_pylist()
    assert len({s["child_key"] for s in subjects}) == len(subjects)
    escalated = [r for r in table if r["escalation"]]
    assert escalated and all(r["level"] == "HIGH" for r in escalated)
    assert all(r["escalations"][0] == r["escalation"] for r in escalated)

    out = home.root / "judgements.csv"
    exported = export_judgements(out, home=home, municipality=municipality, as_of=AS_OF)
    with out.open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert exported["rows"] == len(rows) == len(table)
    assert tuple(rows[0]) == COLUMNS
    assert {r["type"] for r in rows} == {"不登校", "貧困", "総合"}
    held = sorted(r["score"] for r in table if r["score"] is not None)
    assert sorted(float(r["score"]) for r in rows if r["score"]) == pytest.approx(held, rel=1e-8, abs=0)


def test_nothing_is_judged_by_criteria_nobody_approved(installation: tuple[Home, Municipality]) -> None:
    home, municipality = installation
    strict = replace(municipality, extras={**municipality.extras, "approval": {"required": True}})
    with pytest.raises(NotApproved):
        judge_cohort(home=home, municipality=strict, as_of=AS_OF, at=AT)
    assert Store(home.store).current("judgements") is None


def test_indicators_are_kept_once_per_snapshot_date_and_criteria(installation: tuple[Home, Municipality]) -> None:
    home, municipality = installation
    one, two = (build_features(home=home, municipality=municipality, as_of=AS_OF, at=AT) for _ in range(2))
    assert one["features"] == two["features"]
    table = Store(home.store).open("features", str(one["features"])).read("features")
    assert table.num_rows == one["children"]
    assert table.column_names[:3] == ["child_key", "as_of", "absence_3m"]


def test_nothing_published_is_said_in_words(installation: tuple[Home, Municipality], tmp_path: Path) -> None:
    _, municipality = installation
    with pytest.raises(NotReady):
        judge_cohort(home=Home(tmp_path / "empty"), municipality=municipality, as_of=AS_OF, at=AT)
    with pytest.raises(NotReady):
        export_judgements(tmp_path / "x.csv", home=Home(tmp_path / "empty"), municipality=municipality, as_of=AS_OF)


def test_every_escalation_that_holds_is_kept(town: Town, tmp_path: Path) -> None:
    second = '[[escalations]]\ntype = "不登校"\ncode = "late"\nwhen = ["absence_3m >= 10"]\n'
    scenarios = SCENARIOS + second + 'sentence = "欠席が続く"\nrationale = "試験"\n'
    poverty = (
        '[[escalations]]\ntype = "貧困"\ncode = "p"\nwhen = ["arrears >= 1"]\nsentence = "未納"\nrationale = "試験"\n'
    )
    criteria = read_all_criteria(write_criteria(tmp_path / "two", scenarios=scenarios + poverty))
    gates = [judge_scenario(kind, criteria.scenarios, town.judged.matrix) for kind in TYPES]
    types = tuple(replace(one, scenario=gate) for one, gate in zip(town.judged.types, gates, strict=True))
    rows = judgement_tables(replace(town.judged, types=types), Capacities(Capacity(0.02, 0.08)))[
        "judgements"
    ].to_pylist()
    said = {(r["child_key"], r["type"]): r["escalations"] for r in rows if r["method"] == "COMBINED"}
    both = [key for (key, kind), texts in said.items() if kind == "NON_ATTENDANCE" and texts and len(texts) == 2]
    assert both and {tuple(said[key, "NON_ATTENDANCE"]) for key in both} == {("長い欠席", "欠席が続く")}
    assert any(said[key, "POVERTY"] for key in both)
    for key in both:
        assert said[key, "OVERALL"] == [*said[key, "NON_ATTENDANCE"], *(said[key, "POVERTY"] or [])]


def test_types_of_the_test_are_real() -> None:
    assert set(TYPES) <= set(DifficultyType)
