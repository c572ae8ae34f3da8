"""A report as ``kodomo evaluate`` leaves it in the store, made by hand: two types, one of them with too few cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NAME = "2026-03-31.2026-03-31-small.44aeae5263ee"
METHOD = {
    "suppressed": False, "auroc": [0.812, 0.771, 0.85], "average_precision": [0.21, 0.15, 0.28],
    "precision_high": [0.3, 0.2, 0.4], "recall_high": [0.31, 0.2, 0.4], "precision_middle": [0.2, 0.1, 0.3],
    "recall_middle": [0.62, 0.5, 0.7], "new_found_high": [None, None, None], "new_found_middle": [0.05, 0.01, 0.1],
    "brier": 0.01, "calibration_error": 0.002,
}  # fmt: skip


def group_line(name: str, flagged: float, recall: float, *, is_uneven: bool) -> dict[str, Any]:
    """A group's line as ``evaluation.group_figures`` writes it."""
    figures = {"recall": [recall, 0.38, 0.7], "precision": [0.171, 0.12, 0.23], "new_found": [None, None, None],
               "average_precision": [0.331, 0.27, 0.4], "recall_ratio": [0.64, 0.5, 0.83]}  # fmt: skip
    return {"group": name, "children": 1250, "cases": 60, "flagged_share": flagged, "recall": recall, "figures": figures,
            "expected": {"foreseen": 31.2, "range": [46.0, 77.0], "is_off": is_uneven}, "is_uneven": is_uneven}  # fmt: skip


def report() -> dict[str, Any]:
    """The report."""
    body = {
        "caption": "不登校", "children": 2500, "cases": 60, "cases_not_known_to_support": 25, "places": {"high": 50, "middle": 250},
        "enough_cases": True, "methods": {"COMBINED": METHOD, "SCENARIO": METHOD},
        "curve": [{"share": s, "places": int(2500 * s), "recall": r, "range": [r - 0.1, min(r + 0.1, 1)],
                   "reached": 5 * round(12 * r), "missed": None}
                  for s, r in ((0.02, 0.31), (0.05, 0.48), (0.1, 0.62), (0.2, 0.8), (0.5, 0.95))],
        "expected": {"foreseen": 30.4, "range": [45.8, 77.2], "is_off": True},
        "without_contact": {"captions": ["教育相談", "児童扶養手当"], "auroc": [0.788, 0.74, 0.83], "average_precision": [0.2, 0.1, 0.3],
                            "auroc_change": [-0.024, -0.05, 0.01], "average_precision_change": [-0.01, -0.03, 0.01],
                            "recall_change": [-0.05, -0.1, 0.02]},
        "staff_score": {"auroc": [0.01, -0.02, 0.04], "recall": [0.0, -0.1, 0.1], "verdict": "UNSURE", "is_used": True,
                        "words": "学習を加えた判定が、職員の点数表を上回るとはいえない"},
        "groups": {"性別": [group_line("女", 0.081, 0.412, is_uneven=True), group_line("男", 0.119, 0.64, is_uneven=False)],
                   "国籍": [{"group": "外国籍", "children": None, "flagged_share": None, "recall": None},
                           {"group": "日本国籍", "children": 2490, "flagged_share": 0.1, "recall": 0.62}]},
    }  # fmt: skip
    few = {**body, "caption": "産後うつ", "cases": None, "enough_cases": False, "methods": {"COMBINED": {"suppressed": True}},
           "curve": []}  # fmt: skip
    shift = {"indicator": "absence_3m", "caption": "直近3か月の欠席日数", "index": 0.31, "state": "要判断", "missing_then": 0.02,
             "missing_now": 0.31}  # fmt: skip
    return {
        "old_data": "基準日に期限を過ぎている出所(最後の抽出日): 給食費(2025-03-31)",
        "past_date": "2025-03-31", "months_after": 12, "as_of": "2026-03-31", "snapshot": "2026-03-31-small",
        "criteria": {"version": "見本-1", "note": "見本・未検証", "sha256": "44aeae5263ee7f20", "approval": "APPROVED"},
        "capacity": {"high": 0.02, "middle": 0.08}, "suppression": {"threshold": 7, "rounding": 5},
        "learned": {"horizon_months": 12}, "children": 2500, "types": {"NON_ATTENDANCE": body, "POSTNATAL_DEPRESSION": few},
        "coverage": [{"source": "school_attendance", "caption": "出欠 月集計", "share": 0.98},
                     {"source": "npo_watch", "caption": "見守りの記録", "share": 0.12}],
        "items": [{"item": "absence_days", "caption": "欠席日数", "sensitivity": "個人に関する事実", "types": ["不登校"], "lost_share": 0.25, "changed_share": 0.331}],
        "missed": {"rounds": 3, "drawn": 60, "reviewed": 55, "found": None, "stands_for_share": 0.9, "rate": [0.012, 0.004, 0.03]},
        "drift": [shift, {**shift, "indicator": "late_3m", "caption": "直近3か月の遅刻日数", "index": 0.14, "state": "要注意"},
                  {**shift, "indicator": "x", "caption": "在籍", "index": 0.01, "state": "安定"}],
        "score_drift": [{**shift, "indicator": "NON_ATTENDANCE", "caption": "不登校", "index": 0.27}],
    }  # fmt: skip


def case_line(child_key: str, **changed: Any) -> dict[str, Any]:
    """A later case that was missed, as ``cases.json`` holds it."""
    said = {"sentence": "直近3か月の欠席が 2 日", "indicator": "absence_3m", "direction": "UP"}
    return {"child_key": child_key, "type": "NON_ATTENDANCE", "kind": "MISSED", "level": "LOW", "place": 0.341,
            "silent": ["児童生徒アセスメント"], "reasons": [said], "against": [], **changed}  # fmt: skip


def write_report(store: Path, name: str = NAME, **changed: Any) -> None:
    """Leave the report where evaluation would."""
    folder = store / "evaluations" / name
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps({**report(), **changed}, ensure_ascii=False), encoding="utf-8")


def write_cases(store: Path, *lines: dict[str, Any], name: str = NAME) -> None:
    """Leave the list of single cases beside the report."""
    (store / "evaluations" / name / "cases.json").write_text(json.dumps(lines, ensure_ascii=False), encoding="utf-8")
