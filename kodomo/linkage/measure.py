"""Measure the current links: against labels people made, or, without any, from what the links themselves tell (identity side)."""

from __future__ import annotations

import csv
import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from kodomo.configuration import Home, Municipality
from kodomo.errors import StaffError, WrongUsage
from kodomo.governance.audit import AuditEvent
from kodomo.linkage.drawn import KINDS, draw, said_of_drawn
from kodomo.linkage.estimate import estimate_quality
from kodomo.linkage.quality import Place, quality_report
from kodomo.linkage.review import doubts_decided
from kodomo.linkage.run import permitted, printing_of
from kodomo.tables.engine import UNSPILLED, connect
from kodomo.terms import Purpose
from kodomo.vault import people, records
from kodomo.vault.database import audited, open_vault
from kodomo.vault.keys import Keyring

AGES = ((0, 5), (6, 11), (12, 14), (15, 17), (18, 64), (65, 130))
"""Years of age by which links are measured: before school, the three schools, adults, the old."""


@dataclass(frozen=True)
class Label:
    """What a person said of one record: whose it is. ``row`` or ``row_key`` tells which record."""

    source: str
    person: str
    file: str = ""
    row: int = 0
    row_key: str = ""


@dataclass(frozen=True)
class Traits:
    """What a linked person is measured under."""

    age: str
    is_foreign: bool
    is_twin: bool


def read_labels(path: Path) -> list[Label]:
    """Read labels: CSV with ``source``, ``person`` and either ``file`` and ``row``, or ``row_key``.

    Empty ``person``: the record is of nobody the register knows, or can't be told.

    Raises:
        WrongUsage: a column is missing, or a row number is none.
        StaffError: the file can't be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            names = set(reader.fieldnames or ())
            person = next((name for name in ("person", "person_id") if name in names), "")
            by_row = {"file", "row"} <= names
            if "source" not in names or not person or not (by_row or "row_key" in names):
                raise WrongUsage(
                    "正解の表の列が足りません。", where=str(path),
                    then="列 source, file, row, person(または source, row_key, person)を持つ CSV にしてください。",
                )  # fmt: skip
            return [_label(path, number, line, person, by_row) for number, line in enumerate(reader, 1)]
    except (OSError, UnicodeDecodeError, csv.Error):
        raise StaffError(
            "正解の表を読めません。", where=str(path), then="UTF-8 の CSV を、読める場所に置いてください。"
        ) from None


def _label(path: Path, number: int, line: dict[str, str | None], person: str, by_row: bool) -> Label:
    source, whose = line.get("source") or "", (line.get(person) or "").strip()
    if not by_row:
        return Label(source, whose, row_key=line.get("row_key") or "")
    row = line.get("row") or ""
    if not row.isdecimal():
        raise WrongUsage(
            "正解の表の行番号が数字ではありません。",
            where=f"{path} {number} 行目",
            then="最初のデータ行を 1 とする番号を書いてください。",
        )
    return Label(source, whose, line.get("file") or "", int(row))


def linkage_quality(
    *, home: Home, municipality: Municipality, labels: Path | None, by: str, at: dt.datetime
) -> dict[str, Any]:
    """Measure the newest link run, against labels or, without any, by ``estimate_quality``.

    Raises:
        NotReady: no link run yet.
        WrongUsage, StaffError: see ``read_labels``.
    """
    if labels is not None:
        return compared_with_labels(home=home, labels=labels, by=by, at=at)
    return estimated_alone(home=home, municipality=municipality, by=by, at=at)


def estimated_alone(*, home: Home, municipality: Municipality, by: str, at: dt.datetime) -> dict[str, Any]:
    """Estimate the newest link run's precision and recall without labels; changes nothing but the audit trail.

    Returns:
        Estimates with 95 % intervals, what each rests on, what people said of links drawn by lot (``drawn``, or None),
        and how they decided the doubtful pairs.
    """
    started = time.monotonic()
    keyring = open_vault(home)
    run = people.require_run()
    event = AuditEvent(actor=by, role="OPERATOR", action="MEASURE_LINKS", subject=run.sealed_file, purpose=Purpose.LINK.label,
                       detail={"labels": 0})  # fmt: skip
    with audited(home, keyring, event, at):
        pass  # told before it begins: it takes as long as linking
    found = estimate_quality(
        lambda: permitted(records.mention_tables(home, keyring), municipality, at.date()),
        printing=printing_of(municipality), on=at.date(), link_rows=run.figures["rows_by_source"],
        stated_errors=float(run.figures.get("called", {}).get("expected_wrong_rows", 0)),
        sent_back=sum(receipt.rows_quarantined for receipt in records.receipts()),
    )  # fmt: skip
    drawn = said_of_drawn(_with_links(home, keyring))
    return {"run": run.pk, "basis": "OWN_ESTIMATE", **found, "drawn": drawn, "reviewed": _reviewed(), **decided_share(run.figures),
            "seconds": round(time.monotonic() - started, 1)}  # fmt: skip


def draw_for_review(*, home: Home, number: int, by: str, at: dt.datetime) -> dict[str, Any]:
    """Draw links of the newest run by lot for people to look at, beside the doubtful pairs (抜き取り確認).

    Raises:
        WrongUsage: not a number of at least one.
        NotReady: no link run yet.
    """
    if number < 1:
        raise WrongUsage("抜き取る数は、1 以上の整数で書いてください。", where=f"--draw {number}")
    keyring = open_vault(home)
    run = people.require_run()
    connection = _with_links(home, keyring)
    event = AuditEvent(actor=by, role="OPERATOR", action="DRAW_LINKS", subject=run.sealed_file, purpose=Purpose.LINK.label,
                       detail={"number": number})  # fmt: skip
    with audited(home, keyring, event, at):
        return {"run": run.pk, "basis": "DRAW", "drawn": draw(connection, run, number)}


def _with_links(home: Home, keyring: Keyring) -> duckdb.DuckDBPyConnection:
    connection = connect(memory=UNSPILLED)
    connection.register("links", people.open_run(home, keyring, people.require_run(), "links"))
    return connection


def _reviewed() -> dict[str, int]:
    """What people decided about doubtful pairs. The doubtful are no sample of all: they correct no estimate here."""
    said = doubts_decided()
    return {"same": sum(said), "different": len(said) - sum(said)}


def compared_with_labels(*, home: Home, labels: Path, by: str, at: dt.datetime) -> dict[str, Any]:
    """Measure the newest link run against labels; changes nothing but the audit trail.

    Returns:
        Precision, recall and F1 with 95 % intervals over all labelled records, by pairs of them, by source and by
        group (age, foreign name, twins); how many labels named no landed record; how much was decided without a person.

    Raises:
        NotReady: no link run yet.
        WrongUsage, StaffError: see ``read_labels``.
    """
    started = time.monotonic()
    said = read_labels(labels)
    keyring = open_vault(home)
    run = people.require_run()
    event = AuditEvent(actor=by, role="OPERATOR", action="MEASURE_LINKS", subject=run.sealed_file, purpose=Purpose.LINK.label,
                       detail={"labels": len(said), "file": labels.name})  # fmt: skip
    with audited(home, keyring, event, at):
        connection = connect(memory=UNSPILLED)
        _load(connection, home, keyring)
        found, truth, unknown = _matched(connection, said)
        traits = _traits(connection, at.date())
    groups = {name: _within(test, found, truth, traits) for name, test in GROUPS.items()}
    connection.close()
    if not truth:
        raise WrongUsage(
            "正解の表のどの行も、受領した記録と合いません。",
            where=str(labels),
            then="source は出所のコード、file は受領したファイルの名前、row は最初のデータ行を 1 とする番号です。",
        )
    report = quality_report(found, truth, groups)
    return {"run": run.pk, "basis": "LABELS", "labels": len(said), "labels_without_record": unknown, **report,
            **decided_share(run.figures), "seconds": round(time.monotonic() - started, 1)}  # fmt: skip


GROUPS: dict[str, Callable[[Traits], bool]] = {
    **{f"age_{low}_{high}": (lambda t, band=f"{low}-{high}": t.age == band) for low, high in AGES},  # type: ignore[misc]
    "foreign_name": lambda t: t.is_foreign,
    "twins": lambda t: t.is_twin,
}


def decided_share(figures: dict[str, Any]) -> dict[str, float]:
    """How much of what was landed needed nobody: share linked by rules and model, share in the review queue."""
    mentions = max(int(figures.get("mentions", 0)), 1)
    return {"decided_alone": round(figures.get("linked", 0) / mentions, 5),
            "in_queue": round(figures.get("doubtful", 0) / mentions, 5)}  # fmt: skip


def _load(connection: duckdb.DuckDBPyConnection, home: Home, keyring: Keyring) -> None:
    """Register the current run's tables, and ``record``: each subject's place, own key, name and person."""
    run = people.require_run()
    for table in ("links", "persons", "household_spells"):
        connection.register(table, people.open_run(home, keyring, run, table))
    connection.execute(
        "CREATE TABLE record (source VARCHAR, file VARCHAR, row INTEGER, row_key VARCHAR, name VARCHAR, person BIGINT)"
    )
    for table in records.mention_tables(home, keyring):
        connection.register("landed", table)
        connection.execute(
            """INSERT INTO record SELECT m.source, m.file, m.row, m.row_key, m.name, l.person_number
               FROM landed m JOIN links l USING (receipt, row, role) WHERE m.role IN ('subject', 'holder')"""
        )
        connection.unregister("landed")


def _matched(
    connection: duckdb.DuckDBPyConnection, said: list[Label]
) -> tuple[dict[Place, str], dict[Place, str], int]:
    """Found and true person of each labelled record, and how many labels name no record."""
    places: dict[Any, list[tuple[Place, str]]] = {}
    by_key = any(label.row_key for label in said)
    query = "SELECT source, file, row, row_key, coalesce(person::VARCHAR, '') FROM record"
    for source, file, row, row_key, person in connection.execute(query).fetchall():
        key = (source, row_key) if by_key else (source, file, row)
        places.setdefault(key, []).append(((source, file, row), person))
    found, truth, unknown = {}, {}, 0
    for label in said:
        key = (label.source, label.row_key) if by_key else (label.source, label.file, label.row)
        unknown += key not in places
        for place, person in places.get(key, ()):
            found[place], truth[place] = person, label.person
    return found, truth, unknown


def _traits(connection: duckdb.DuckDBPyConnection, on: dt.date) -> dict[str, Traits]:
    rows = connection.execute(TRAITS, {"on": on}).fetchall()
    return {str(person): Traits(_band(age), bool(foreign), bool(twin)) for person, age, foreign, twin in rows}


TRAITS = r"""
WITH named AS (
    SELECT person, bool_or(regexp_matches(name, '\p{Han}')) AS has_kanji, bool_or(regexp_matches(name, '[A-Za-zァ-ヺ]{2}')) AS has_foreign
    FROM record WHERE person IS NOT NULL AND name IS NOT NULL GROUP BY person
), twin AS (
    SELECT DISTINCT a.person_number FROM household_spells a JOIN household_spells b USING (household_number)
    JOIN persons p ON p.person_number = a.person_number JOIN persons q ON q.person_number = b.person_number
    WHERE a.person_number <> b.person_number AND p.born_on = q.born_on
)
SELECT p.person_number, date_sub('year', try_cast(p.born_on AS DATE), $on::DATE),
    coalesce(p.nationality = '外国籍', false) OR coalesce(n.has_foreign AND NOT n.has_kanji, false), t.person_number IS NOT NULL
FROM persons p LEFT JOIN named n ON n.person = p.person_number LEFT JOIN twin t ON t.person_number = p.person_number
"""


def _band(age: int | None) -> str:
    return next((f"{low}-{high}" for low, high in AGES if age is not None and low <= age <= high), "")


def _within(
    test: Callable[[Traits], bool], found: dict[Place, str], truth: dict[Place, str], traits: dict[str, Traits]
) -> Callable[[Place], bool]:
    """Whether a record's true person belongs to a group, judged by the found person that has most of their records."""
    votes: dict[str, dict[str, int]] = {}
    for place, true in truth.items():
        if true and found[place]:
            counts = votes.setdefault(true, {})
            counts[found[place]] = counts.get(found[place], 0) + 1
    members = {
        true for true, counts in votes.items()
        if (mine := traits.get(max(sorted(counts), key=lambda k: counts[k]))) and test(mine)
    }  # fmt: skip
    return lambda place: truth[place] in members


def lines(report: dict[str, Any]) -> Iterator[str]:
    """The report as lines for people, in Japanese."""
    if report["basis"] == "DRAW":
        counts = "、".join(f"{KINDS[kind]} {count} 件" for kind, count in report["drawn"].items() if count)
        yield f"名寄せ {report['run']}: {counts or '抜き取れる記録がありませんでした'}" + (
            "を抜き取りました" if counts else ""
        )
        yield "画面の「名寄せの確認」で確かめたあと、kodomo linkage-quality をもう一度実行すると、誤りの割合が分かります。"
        return
    if report["basis"] == "OWN_ESTIMATE":
        yield from _estimate_lines(report)
        return
    yield f"名寄せ {report['run']}: 正解のある記録 {report['records']:,} 件(記録の見つからない正解 {report['labels_without_record']:,} 件)"
    for caption, score in _rows(report):
        inside = score.get("interval")
        cells = [
            f"{word} {score[key]:.5f}" + (f"({inside[key][0]:.5f}–{inside[key][1]:.5f})" if inside else "")
            for key, word in (("precision", "適合率"), ("recall", "再現率"), ("f1", "F1"))
        ]
        yield f"  {caption}: " + " ".join(cells) + f" 誤り {score['wrong']} 漏れ {score['missed']}"
    yield f"人の確認なしに決まった記録 {report['decided_alone']:.3%}、確認待ち {report['in_queue']:.3%}"


def _estimate_lines(report: dict[str, Any]) -> Iterator[str]:
    rests = report["rests_on"]
    yield f"名寄せ {report['run']}: 正解なしの推定({report['rows']:,} 行)"
    for key, caption in (("precision", "適合率"), ("recall", "再現率")):
        low, high = report[key]["interval"]
        yield f"  {caption} {report[key]['estimate']:.5f}(95 % 区間 {low:.5f}–{high:.5f})"
    hidden = rests["hidden_numbers"]
    if hidden:
        yield f"  根拠1: 宛名番号のある {hidden['rows']:,} 行を番号なしで名寄せし直し、適合率 {hidden['precision']:.5f}、再現率 {hidden['recall']:.5f}"
    else:
        yield "  根拠1: 宛名番号のある出所がないため、番号を隠す確かめはできません"
    yield f"  根拠2: 生年月日をずらしても結び付いた行は {rests['shifted_births']['rate']:.4%}(偶然の一致)"
    yield f"  根拠3: 氏名と年齢での紐付けの、見込みの誤り {rests['stated_errors']} 行"
    yield _drawn_line(report["drawn"])
    yield "  だれとも結び付かない行は、台帳にない人か、漏れかを区別できないため、再現率は幅で示します。番号そのものの誤りは測れません。"
    yield (
        f"  再現率の下限では、台帳にない人とした {rests['rows_of_strangers']:,} 行と、差し戻した {rests['rows_sent_back']:,} 行も漏れに数えています"
        "(台帳にない人とした人が実は台帳の人であることは、適合率には数えません)。"
    )


CAPTIONS = {"foreign_name": "外国の氏名", "twins": "双子"} | {f"age_{a}_{b}": f"{a}〜{b}歳" for a, b in AGES}


def _rows(report: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "記録ごと", report["record"]
    yield "記録の組ごと", report["pair"]
    yield from (item for item in report["by_source"].items())
    for name, score in report["by_group"].items():
        if score["right"] + score["missed"]:
            yield CAPTIONS.get(name, name), score


def _drawn_line(drawn: dict[str, Any] | None) -> str:
    if drawn is None:
        return "  抜き取り確認: まだありません。kodomo linkage-quality --draw 200 で、人が確かめる記録を抜き取れます。"
    said = f"  抜き取り確認: {drawn['drawn']} 件のうち {drawn['reviewed']} 件を人が確かめ、別の人だったのは {drawn['wrong']} 件"
    if "precision" not in drawn:
        return said
    low, high = drawn["precision"]["interval"]
    return f"{said}。適合率 {drawn['precision']['estimate']:.5f}(95 % 区間 {low:.5f}–{high:.5f})"
