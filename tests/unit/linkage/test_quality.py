"""Scores of linkage against hand-counted examples."""

from __future__ import annotations

from pathlib import Path

from kodomo.linkage.quality import pair_score, quality_report, read_links, record_score


def places(*texts: str) -> list[tuple[str, str, int]]:
    return [("s", "f", i) for i, _ in enumerate(texts)]


def links(*persons: str) -> dict[tuple[str, str, int], str]:
    return {("s", "f", i): person for i, person in enumerate(persons)}


def test_perfect_links_score_one_whatever_the_keys_are_called() -> None:
    found, truth = links("x", "x", "y"), links("A", "A", "B")
    assert record_score(found, truth).f1 == 1 == pair_score(found, truth).f1


def test_a_record_on_the_wrong_person_is_wrong_and_missed() -> None:
    found, truth = links("x", "x", "x", "y", "y"), links("A", "A", "B", "B", "B")
    score = record_score(found, truth)
    assert (score.right, score.wrong, score.missed) == (4, 1, 1)
    assert (score.precision, score.recall) == (0.8, 0.8)


def test_a_person_split_in_two_is_missed_but_not_wrong() -> None:
    found, truth = links("x", "x", "y"), links("A", "A", "A")
    score = record_score(found, truth)
    assert (score.right, score.wrong, score.missed) == (2, 0, 1)
    assert (pair_score(found, truth).right, pair_score(found, truth).missed) == (1, 2)


def test_unlinked_records_are_missed_and_unknown_ones_that_stay_unlinked_are_fine() -> None:
    found, truth = links("", "x", ""), links("A", "A", "")
    score = record_score(found, truth)
    assert (score.right, score.wrong, score.missed) == (1, 0, 1)


def test_report_reads_files_and_counts_landed_rows_only(tmp_path: Path) -> None:
    key, out = tmp_path / "key.csv", tmp_path / "out.csv"
    key.write_text("source,file,row,person_id\ns,f,1,A\ns,f,2,A\nt,f,1,B\n", encoding="utf-8")
    out.write_text("source,file,row,row_key,person_key\ns,f,1,7,x\nt,f,1,,\n", encoding="utf-8")
    found, truth = read_links(out, "person_key"), read_links(key, "person_id")
    report = quality_report(found, truth, {"B": lambda place: truth[place] == "B"})
    assert report["records"] == 2
    assert report["by_source"]["s"]["f1"] == 1 and report["by_source"]["t"]["recall"] == 0
    assert report["by_group"]["B"]["missed"] == 1
