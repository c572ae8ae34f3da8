"""What came out of the whole path: counts, link quality, judgements, shortlist, audit."""

from __future__ import annotations

import sqlite3
from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
from journey.walk import AS_OF, Journey, read_csv

from kodomo.store.database import Store
from kodomo.terms import OVERALL_LABEL, DifficultyType, Level, Method

EVENT_SOURCES = {"npo_watch", "club_attendance", "water_bills"}
"""Sources without a birth date: they may stay unlinked, but must not be linked wrongly."""


def test_the_whole_path_is_ninety_seconds_of_work(journey: Journey) -> None:
    assert journey.cpu_seconds < 90


def test_every_extract_lands_and_unreadable_rows_are_told(journey: Journey) -> None:
    received = journey.results["receive"]
    planted = {(m["file"], m["row"]) for m in journey.answers("mistakes") if not m["kind"].endswith("duplicate")}
    assert received["refused"] == 0
    assert received["landed"] == received["files"] >= 18
    told = {
        (delivery["file"], str(row["row"])) for delivery in received["deliveries"] for row in delivery["quarantined"]
    }
    assert received["rows_read"] == received["rows_landed"] + received["rows_quarantined"]
    assert told == planted


def test_links_agree_with_the_answer_key(journey: Journey) -> None:
    truth = {(r["file"], r["row"]): r["person_id"] for r in journey.answers("links")}
    links = read_csv(journey.home.root.parent / "links.csv")
    quarantined = {
        (d["file"], str(q["row"])) for d in journey.results["receive"]["deliveries"] for q in d["quarantined"]
    }
    assert {(r["file"], r["row"]) for r in links} == set(truth) - quarantined
    dated = [r for r in links if r["source"] not in EVENT_SOURCES]
    assert _precision(dated, truth) >= 0.999
    assert _share_linked(dated) >= 0.99
    assert _precision([r for r in links if r["source"] in EVENT_SOURCES], truth) >= 0.96


def _precision(rows: list[dict[str, str]], truth: dict[tuple[str, str], str]) -> float:
    """Share of linked rows whose person key belongs, by majority, to the row's true person."""
    votes: dict[str, Counter[str]] = {}
    linked = [r for r in rows if r["person_key"]]
    for row in linked:
        votes.setdefault(row["person_key"], Counter())[truth[row["file"], row["row"]]] += 1
    owner = {key: counts.most_common(1)[0][0] for key, counts in votes.items()}
    return sum(owner[r["person_key"]] == truth[r["file"], r["row"]] for r in linked) / len(linked)


def _share_linked(rows: list[dict[str, str]]) -> float:
    return sum(bool(r["person_key"]) for r in rows) / len(rows)


def test_every_child_is_judged_for_every_type(journey: Journey) -> None:
    rows = read_csv(journey.home.root.parent / "judgements.csv")
    children = {r["person_key"] for r in rows}
    # until the school year of the eighteenth birthday ends; who was born on 1 April is a year ahead
    truth = {p["person_id"] for p in journey.answers("people") if p["household_id"] and p["born_on"] >= "2007-04-02"}
    assert abs(len(children) - len(truth)) <= 0.03 * len(truth)
    wanted = {t.label for t in DifficultyType} | {OVERALL_LABEL}
    shown = {(r["person_key"], r["type"]) for r in rows if r["method"] == "COMBINED"}
    assert shown == {(child, kind) for child in children for kind in wanted}
    assert {r["level"] for r in rows} <= {level.name for level in Level}
    assert all(0 <= float(r["score"]) <= 1 for r in rows if r["score"])


def test_levels_keep_to_the_capacity(journey: Journey) -> None:
    rows = [r for r in read_csv(journey.home.root.parent / "judgements.csv") if r["method"] == "COMBINED"]
    children = len({r["person_key"] for r in rows})
    high = Counter(r["type"] for r in rows if r["level"] == "HIGH")
    assert high
    assert all(count <= max(3, 0.05 * children) for count in high.values()), high


def test_every_shortlisted_judgement_says_why(journey: Journey) -> None:
    judged = Store(journey.home.store).current("judgements")
    assert judged is not None
    judgements, reasons = judged.read("judgements"), judged.read("reasons")
    high = judgements.filter(pc.and_(pc.equal(judgements["level"], "HIGH"), pc.equal(judgements["method"], "COMBINED")))
    explained = set(zip(reasons["child_key"].to_pylist(), reasons["type"].to_pylist(), strict=True))
    wanted = set(zip(high["child_key"].to_pylist(), high["type"].to_pylist(), strict=True))
    assert wanted <= explained
    assert judged.manifest["as_of"] == AS_OF


def test_shortlist_on_the_site_is_what_was_judged(journey: Journey) -> None:
    judged = Store(journey.home.store).current("judgements")
    assert judged is not None
    table = judged.read("judgements")
    # A single method's own levels stand beside what all say together, and bring nobody onto the list.
    table = table.filter(pc.equal(table["method"], Method.COMBINED.value))
    reached = pc.is_in(table["level"], value_set=pa.array(["HIGH", "MIDDLE"]))
    flagged = pc.or_(reached, pc.is_valid(table["escalation"]))
    wanted = set(table.filter(flagged)["child_key"].to_pylist())
    with sqlite3.connect(next(journey.home.casework.glob("*.sqlite3"))) as database:
        found = {row[0] for row in database.execute("SELECT child_key FROM assessment_case")}
    assert wanted <= found


def test_audit_chains_are_intact(journey: Journey) -> None:
    verdict = journey.run("audit", "verify")
    assert verdict["intact"] is True
    assert verdict["chains"]["vault"]["rows"] > 0


def test_status_tells_what_is_there(journey: Journey) -> None:
    status = journey.run("status")
    assert len(status["deliveries"]) == journey.results["receive"]["landed"]
    assert len(status["snapshots"]) == len(status["judgements"]) == 1
    assert {job["state"] for job in status["jobs"]} == {"DONE"}


def test_same_seed_gives_the_same_extracts(journey: Journey) -> None:
    again = journey.city.parent / "again"
    journey.run("city", "--residents", "1500", "--months", "24", "--seed", "7", "--out", str(again))
    first = {p.relative_to(journey.city): p.read_bytes() for p in sorted(journey.city.rglob("*")) if p.is_file()}
    second = {p.relative_to(again): p.read_bytes() for p in sorted(again.rglob("*")) if p.is_file()}
    assert first == second


def test_the_same_files_again_are_refused_and_nothing_doubles(journey: Journey) -> None:
    before = len(journey.run("status")["deliveries"])
    again = journey.run("receive", str(journey.city / "extracts"))
    assert again["landed"] == 0
    assert again["rows_landed"] == 0
    assert len(journey.run("status")["deliveries"]) == before
