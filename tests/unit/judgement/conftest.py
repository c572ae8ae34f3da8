"""A town with a known burden behind its records, judged once for the whole folder of tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from features.factory import day, simulated_town

from kodomo.judgement.criteria import Criteria, read_all_criteria
from kodomo.judgement.judge import Judged, judge
from kodomo.judgement.learning import Plan
from kodomo.store.database import Snapshot
from kodomo.terms import DifficultyType

AS_OF = day("2026-03-31")
TYPES = (DifficultyType.NON_ATTENDANCE, DifficultyType.POVERTY)

INDICATORS = """\
[[indicators]]
code = "absence_3m"
caption = "直近3か月の欠席日数"
item = "absence_days"
window_months = 3
aggregate = "sum"
grades = [1, 9]
types = ["不登校"]
sign = "+"
sentence = "直近3か月の欠席が {value} 日"

[[indicators]]
code = "late_12m"
caption = "直近12か月の遅刻日数"
item = "late_days"
window_months = 12
aggregate = "sum"
grades = [1, 9]
types = ["不登校"]
sign = "+"
sentence = "直近12か月の遅刻が {value} 日"

[[indicators]]
code = "absence_share"
caption = "直近12か月の欠席率"
item = "absence_days"
per = "school_days"
window_months = 12
aggregate = "share"
grades = [1, 9]
types = ["不登校"]
sign = "+"
sentence = "欠席率が {value}"

[[indicators]]
code = "arrears"
caption = "水道料金の未納"
item = "water_arrears_months"
whose = "household"
window_months = 12
aggregate = "max"
types = ["不登校", "貧困"]
sign = "+"
sentence = "水道料金の未納が最大 {value} か月"

[[indicators]]
code = "registered"
caption = "要対協の登録"
item = "council_registration"
at = "now"
aggregate = "any"
types = ["不登校", "貧困"]
is_label_trace = true
sentence = "要対協に登録されている"
"""
COVERAGE = """\
[[sources]]
source = "school_attendance"
kind = "roster"
grades = [1, 9]
[[sources]]
source = "water_bills"
kind = "roster"
whose = ["household"]
ages = [0, 17]
[[sources]]
source = "council_registration"
kind = "register"
"""
SCENARIOS = """\
version = "試験-1"
note = "見本・未検証"
point_is = 0.35
[[approved_by]]
name = "甲"
on = 2026-03-01
[[approved_by]]
name = "乙"
on = 2026-03-02
[[types]]
type = "不登校"
base_rate = 0.02
grades = [1, 9]
[[types]]
type = "貧困"
base_rate = 0.06
ages = [0, 17]
[[points]]
type = "不登校"
code = "a9"
when = ["absence_3m >= 9"]
points = 5
group = "absence"
rationale = "試験"
[[points]]
type = "不登校"
code = "a4"
when = ["absence_3m >= 4"]
points = 3
group = "absence"
rationale = "試験"
[[points]]
type = "不登校"
code = "both"
when = ["late_12m >= 10", "arrears >= 1"]
points = 2
sentence = "遅刻が {value} 日で、未納もある"
rationale = "試験"
[[points]]
type = "貧困"
code = "p1"
when = ["arrears >= 2"]
points = 4
rationale = "試験"
[[escalations]]
type = "不登校"
code = "long"
when = ["absence_3m >= 14"]
sentence = "長い欠席"
rationale = "試験"
"""
LABELS = """\
[[labels]]
type = "不登校"
item = "council_registration"
codes = ["不登校"]
weight = 1.0
[[labels]]
type = "貧困"
item = "council_registration"
codes = ["貧困"]
weight = 1.0
[[known_to_support]]
item = "council_registration"
at = "now"
"""


def write_criteria(folder: Path, **changed: str) -> Path:
    """A municipality's criteria; a keyword replaces one of the four files."""
    (folder / "criteria").mkdir(parents=True, exist_ok=True)
    files = {"indicators": INDICATORS, "coverage": COVERAGE, "scenarios": SCENARIOS, "labels": LABELS, **changed}
    for name, text in files.items():
        (folder / "criteria" / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Town:
    """What was published, the truth behind it, the criteria and the judgement."""

    snapshot: Snapshot
    truth: dict[str, float]
    criteria: Criteria
    judged: Judged
    root: Path


QUICK = Plan(horizon_months=6, bags=2, rounds=40)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    root = tmp_path_factory.mktemp("town")
    built, truth = simulated_town(500, seed=7)
    snapshot = built.publish(root / "store")
    criteria = read_all_criteria(write_criteria(root / "m"))
    return Town(snapshot, truth, criteria, judge(snapshot, AS_OF, criteria, TYPES, plan=QUICK), root)
