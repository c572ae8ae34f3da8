"""A month linked onto the run before gives what linking everything anew gives: the same persons, rules, doubts and homes."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kodomo.configuration import Home, Municipality
from kodomo.linkage import kept, link, spine
from kodomo.linkage.link import Before, LinksAnew, link_mentions
from kodomo.linkage.review import Decision
from kodomo.linkage.run import RUN_TABLES, link_people
from kodomo.tables.engine import connect
from kodomo.vault import people
from kodomo.vault.database import open_vault
from kodomo.vault.records import LANDED_FACTS, MENTIONS

from .paper import ON, PRINTING, Paper, receipt_of
from .test_run import exported, land, stage, town

SURNAMES = {"髙橋": "ﾀｶﾊｼ", "林": "ﾊﾔｼ", "渡邉": "ﾜﾀﾅﾍﾞ", "グエン": "ｸﾞｴﾝ"}
GIVENS = {"葵": "ｱｵｲ", "蓮": "ﾚﾝ", "陽菜": "ﾋﾅ", "翔太": "ｼｮｳﾀ", "翔子": "ｼｮｳｺ"}
STREETS = ("北町1-1", "北町1-2", "南町3-4")
AWAY = "他県別市本町1-1"
MONTH = dt.date(2026, 5, 1)
COMPARED = {
    "links": "SELECT m.mention, l.person, l.rule FROM mention m LEFT JOIN link l USING (form)",
    "doubts": "SELECT DISTINCT form, person, why FROM doubt",
    "homes": "FROM membership",
    "kin": "FROM kinship",
    "stays": "FROM residence",
    "forms": "SELECT form, form_hash, mate_hash, school, grade, sorted_kana, seen_from, seen_to, rows FROM form",
    "next": "SELECT form, rule, person, since FROM kept_again",
}


class City:
    """Random families as offices print them: few names and days, so that many could be meant; slips everywhere."""

    def __init__(self, seed: int) -> None:
        self.dice, self.paper = random.Random(seed), Paper()  # noqa: S311
        self.people: list[dict[str, str]] = []
        for house in range(self.dice.randint(8, 14)):
            self._family(house)
        for _ in range(self.dice.randint(40, 80)):
            self._told(self.dice.choice(self.people))

    def _family(self, house: int) -> None:
        surname, street = self.dice.choice(list(SURNAMES)), self.dice.choice(STREETS)
        days = [f"201{self.dice.randint(0, 2)}-0{self.dice.randint(1, 2)}-1{self.dice.randint(0, 2)}" for _ in range(2)]
        mother = self._person(house, 0, surname, "恵", "ﾒｸﾞﾐ", "1985-05-05", street, relationship="世帯主", sex="女")
        for place, day in enumerate(days if self.dice.random() < 0.7 else [days[0]] * 2, 1):
            given = self.dice.choice(list(GIVENS))
            child = self._person(house, place, surname, given, GIVENS[given], day, street, relationship="子")
            child["mother"] = mother["name"]

    def _person(
        self, house: int, place: int, surname: str, given: str, kana: str, born: str, street: str, **more: str
    ) -> dict[str, str]:
        number = f"7{house:02}{place}"
        one = {"name": f"{surname} {given}", "name_kana": f"{SURNAMES[surname]} {kana}", "born_on": born, "resident_number": number,
               "address": street}  # fmt: skip
        self.people.append(one)
        if self.dice.random() < 0.9:
            ended = (
                {"resident_to": "2019-03-01", "resident_to_reason": "転出", "moved_to": AWAY}
                if self.dice.random() < 0.15
                else {}
            )
            more |= {"household_number": f"H{house}", "address": street, "resident_from": "2013-04-01", **ended}
            self.paper.resident(number, one["name"], one["name_kana"], born, **more)
            if ended and self.dice.random() < 0.7:  # and back again
                more |= {"resident_from": "2022-04-01", "resident_to": "", "resident_to_reason": ""}
                self.paper.resident(f"9{number}", one["name"], one["name_kana"], born, **more)
        return one

    def _told(self, one: dict[str, str]) -> None:
        said = dict(one)
        mother = said.pop("mother", None)
        for slip in self.dice.sample(SLIPS, self.dice.randint(0, 2)):
            slip(said, self.dice)
        source = self.dice.choice(
            (
                "child_allowance",
                "school_enrolment",
                "nurse_room",
                "npo_watch",
                "water_bills",
                "baby_visit",
                "class_list",
                "sick_bay",
                "birth_check",
                "consultation",
            )
        )
        people: dict[str, Any] = {"subject": said}
        if source == "npo_watch":
            people = {"subject": {"name": said["name"][-1:], "name_kana": said["name_kana"].split()[-1], "age": "12"}}
        elif source == "water_bills":
            body = {"name": said["name"], "name_kana": said["name_kana"], "address": said.get("address", AWAY)}
            people = {"holder": body | ({"own_number": one["resident_number"][:3]} if self.dice.random() < 0.5 else {})}
        elif source == "baby_visit":
            people = {"subject": {"name": "ベビー", "born_on": one["born_on"], "address": one["address"]}}
        elif source == "school_enrolment":
            said |= {"own_number": "S" + one["resident_number"][-3:], "school": self.dice.choice(("北小学校", "南小学校")),
                     "grade": self.dice.choice("123")}  # fmt: skip
        elif source in ("class_list", "sick_bay"):
            seat = {"school": "北中学校", "grade": f"{2014 - int(one['born_on'][:4])}年", "class_name": self.dice.choice("12"),
                    "seat": self.dice.choice("34")}  # fmt: skip
            if source == "class_list":
                said |= seat
            else:
                people = {"subject": {"name": said["name"].split()[0], **seat}}
        elif source == "birth_check":
            people = {"subject": {"name": mother or said["name"], "child_born_on": one["born_on"]}}
        elif source == "consultation":
            body = {"name": f"{mother or '林 恵'}の子", "address": one["address"]}
            people = {"subject": body | self.dice.choice(({"born_on": one["born_on"]}, {"age": "17"}))}
        if mother and (self.dice.random() < 0.5 or source == "consultation") and "subject" in people:
            people["guardian"] = {"name": mother if self.dice.random() < 0.8 else "林 恵"}
        day = ON - dt.timedelta(days=30 * self.dice.randint(0, 2))  # told late: older than what was delivered before
        self.paper.row(source, known_from=day, said=[{"item": source, "number": 1.0}], **people)

    def deliveries(self, share: float, *, has_register: bool) -> tuple[Paper, Paper, list[tuple[int, int]]]:
        """The first delivery, both together, and the rows of the first that the second supersedes."""
        month = {place for place in self._rows() if self.dice.random() < share and (has_register or place[0] != 1)}
        first, both = Paper(), Paper()
        wanted = 1 if has_register else receipt_of("child_allowance")
        gone = [
            place for place in self._rows() if place not in month and place[0] == wanted and self.dice.random() < 0.1
        ]
        for kind in ("mentions", "facts"):
            rows = getattr(self.paper, kind)
            early = [row for row in rows if (row["receipt"], row["row"]) not in month]
            late = [row | {"receipt": row["receipt"] + 100} for row in rows if (row["receipt"], row["row"]) in month]
            restated = [
                row | (_gone() if kind == "mentions" and (row["receipt"], row["row"]) in gone else {}) for row in early
            ]
            getattr(first, kind).extend(early)
            getattr(both, kind).extend(restated + sorted(late, key=lambda row: row["receipt"]))
        return first, both, gone

    def _rows(self) -> list[tuple[int, int]]:
        return sorted({(row["receipt"], row["row"]) for row in self.paper.mentions})


def _gone() -> dict[str, Any]:
    return {"is_superseded": True, "told_until": MONTH}


SLIPS = (
    lambda said, dice: said.pop("resident_number"),
    lambda said, dice: said.pop("born_on"),
    lambda said, dice: said.update(name=said["name"].replace("髙", "〓").replace("邉", "〓")),
    lambda said, dice: said.update(name=said["name"].replace(" ", "")),
    lambda said, dice: said.update(name_kana=" ".join(reversed(said["name_kana"].split()))),
    lambda said, dice: said.update(name="".join(reversed(said["name"].split()))),
    lambda said, dice: said.update(name="山本 " + said["name"].split(" ")[-1]),
    lambda said, dice: said.pop("address"),
    lambda said, dice: said.update(born_on="2011-02-1" + dice.choice("012")),
    lambda said, dice: said.update(resident_number=f"70{dice.randint(0, 9)}{dice.randint(0, 2)}"),
)


def _linked(
    paper: Paper,
    model: Path,
    before: Before | None = None,
    after: int = 0,
    keep: dict[str, pa.Table] | None = None,
    decisions: Iterable[Decision] = (),
) -> tuple[duckdb.DuckDBPyConnection, dict[str, Any]]:
    """Link rows of receipts after one; facts are always those of all. ``keep`` is filled with what the next run needs."""
    kept_tables: dict[str, pa.Table] = {} if keep is None else keep
    connection = connect(threads=1)
    mentions = _table(MENTIONS.schema(), [row for row in paper.mentions if row["receipt"] > after])
    facts = _table(LANDED_FACTS.schema(), paper.facts)
    figures = link_mentions(
        connection, [mentions], facts, printing=PRINTING, model_file=model, on=ON, before=before, decisions=decisions,
        set_aside=lambda name, pieces: kept_tables.update({name: pieces.read_all()}),
    )  # fmt: skip
    if keep is not None:
        keep.update({name: pieces.read_all() for name, pieces in kept.tables_to_keep(connection)})
    return connection, figures


def _table(schema: pa.Schema, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


def _restated(places: list[tuple[int, int]]) -> pa.Table:
    rows = [
        {"receipt": receipt, "row": row, "is_duplicate": False, "is_initial": True, "told_on": ON, **_gone()}
        for receipt, row in places
    ]
    schema = pa.schema([("row", pa.int32()), ("is_duplicate", pa.bool_()), ("is_superseded", pa.bool_()), ("told_on", pa.date32()),
                        ("told_until", pa.date32()), ("is_initial", pa.bool_()), ("receipt", pa.int64())])  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def _outcome(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    connection.execute(f"CREATE OR REPLACE TABLE kept_again AS {kept.TABLES['kept_outcome']}")
    return {name: sorted(connection.execute(query).fetchall(), key=repr) for name, query in COMPARED.items()}


@pytest.mark.parametrize("has_register", [True, False])
@settings(max_examples=2)
@given(seed=st.integers(0, 10_000), share=st.sampled_from((0.05, 0.2, 0.5)))
def test_a_month_linked_onto_the_run_before_is_a_run_from_the_beginning(
    model_file: Path, has_register: bool, seed: int, share: float
) -> None:
    first, both, gone = City(seed).deliveries(share, has_register=has_register)
    tables: dict[str, pa.Table] = {}
    _linked(first, model_file, keep=tables)[0].close()
    anew, whole = _linked(both, model_file)
    try:
        more, part = _linked(both, model_file, Before(tables.__getitem__, _restated(gone)), after=99)
    except LinksAnew:
        return
    assert _outcome(more) == _outcome(anew)
    assert part["forms_compared"] <= whole["forms_compared"]
    assert part["spine"] == whole["spine"]


def test_what_nothing_new_could_mean_is_not_compared_again(paper: Paper, model_file: Path) -> None:
    town(paper)
    tables: dict[str, pa.Table] = {}
    _, figures = _linked(paper, model_file, keep=tables)
    more = Paper()
    more.row("nurse_room", subject={"name": "髙橋 翔子", "name_kana": "ﾀｶﾊｼ ｼｮｳｺ", "born_on": "2015-05-05"})
    more.mentions[0]["receipt"] = 101
    more.facts = paper.facts
    _, part = _linked(more, model_file, Before(tables.__getitem__, _restated([])), after=99)
    assert figures["forms_compared"] == 3 and part["forms_compared"] == 1 and part["forms_taken_over"] == 3


def test_the_spine_stands_until_the_register_tells_something_or_a_person_decides(
    paper: Paper, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town(paper)
    tables: dict[str, pa.Table] = {}
    _linked(paper, model_file, keep=tables)
    built: list[int] = []
    monkeypatch.setattr(link, "build_spine", lambda connection: built.append(1) or spine.build_spine(connection))
    before = Before(tables.__getitem__, _restated([]))
    office, register = Paper(), Paper()
    office.row("nurse_room", subject={"name": "髙橋 翔子", "name_kana": "ﾀｶﾊｼ ｼｮｳｺ", "born_on": "2015-05-05"})
    register.resident("0000777", "林 蓮", "ﾊﾔｼ ﾚﾝ", "2014-01-01")
    for more, times in ((office, 0), (register, 1)):
        more.mentions[0]["receipt"], more.facts = 101, paper.facts
        _linked(more, model_file, before, after=99)
        assert len(built) == times
    told_otherwise = Before(tables.__getitem__, _restated([(receipt_of("resident_register"), 1)]))
    _linked(office, model_file, told_otherwise, after=99)
    assert len(built) == 2
    refs = [f"{row['receipt']}:{row['row']}:{row['role']}" for row in paper.mentions]
    _linked(office, model_file, before, after=99, decisions=[(refs[0], refs[-1], False)])
    assert len(built) == 3


def test_a_new_surname_that_parts_an_old_name_asks_for_a_run_from_the_beginning(paper: Paper, model_file: Path) -> None:
    town(paper)
    paper.row("nurse_room", subject={"name": "五百旗頭凛", "born_on": "2014-01-01"})
    tables: dict[str, pa.Table] = {}
    _linked(paper, model_file, keep=tables)
    more = Paper()
    more.row("nurse_room", subject={"name": "五百旗頭 蓮", "born_on": "2013-01-01"})
    more.mentions[0]["receipt"] = 101
    with pytest.raises(LinksAnew):
        _linked(more, model_file, Before(tables.__getitem__, _restated([])), after=99)


# ---- on a vault: keys, and when it is safe ----


CORRECTED = frozenset({("resident_register", 2), ("child_allowance", 1)})


def _more() -> Paper:
    """A newborn, three records of others, and two rows told otherwise: a twin moved, the allowance names nobody now."""
    more = Paper()
    more.rows["resident_register"] = 1
    more.resident(
        "0000101", "髙橋 翔太", "ﾀｶﾊｼ ｼｮｳﾀ", "2015-05-05", household_number="H9", address="西町9-9", relationship="子"
    )
    more.row("child_allowance", subject={"resident_number": "0000101", "name": "高橋 翔太", "born_on": "2015-05-05"},
             said=[{"item": "child_allowance", "number": 1.0, "valid_from": dt.date(2015, 6, 1)}])  # fmt: skip
    more.rows["resident_register"] = 4
    more.resident("0000104", "髙橋 朔", "ﾀｶﾊｼ ｻｸ", "2025-12-01", household_number="H1", address="北町1-2-3")
    more.row(
        "university_assessment", subject={"name": "遠山 梢", "name_kana": "とおやま こずえ", "born_on": "2014-02-02"}
    )
    more.row("nurse_room", subject={"name": "高橋 翔子", "name_kana": "たかはし しょうこ", "born_on": "2015-05-05"})
    return more


def test_incremental_runs_give_the_keys_of_runs_anew_and_none_changes_without_a_reason(
    tmp_path: Path, hinata: Municipality
) -> None:
    found = []
    for anew in (False, True):
        home = Home(tmp_path / str(anew))
        paper = Paper()
        town(paper)
        land(paper, home)
        first = link_people(**stage(home, hinata), anew=anew)
        assert first["mode"] == "ANEW" and first["why_anew"]
        keys = exported(home, hinata)
        land(_more(), home, 2, CORRECTED)
        second = link_people(**stage(home, hinata, 10), anew=anew)
        assert second["mode"] == ("ANEW" if anew else "INCREMENTAL")
        assert 0 < second["cards"]["written"] < second["cards"]["persons"], "only cards that say something new"
        later = exported(home, hinata, 15)
        assert {place: later[place] for place in keys} == keys
        found.append((_run_tables(home), second["numbers"], second["changes"]))
        if not anew:
            again = link_people(**stage(home, hinata, 20), anew=True)
            assert again["changes"] == {} and again["persons_changed"] == 0, "no key changes without a reason"
            assert exported(home, hinata, 25) == later
    assert found[0] == found[1]


def _run_tables(home: Home) -> dict[str, list[Any]]:
    keyring = open_vault(home)
    run = people.require_run()
    tables = {name: people.open_run(home, keyring, run, name).to_pylist() for name in RUN_TABLES}
    from kodomo.vault.models import Person, PersonIndex

    cards = Person.objects.using("vault").values_list(
        "person_number", "sealed_identity", "is_current", "is_address_protected"
    )
    index = PersonIndex.objects.using("vault").values_list("person_id", "kind")
    return {
        **tables, "index": sorted(index),
        "cards": sorted((n, keyring.unseal(bytes(sealed), f"person:{n}"), *rest) for n, sealed, *rest in cards),
    }  # fmt: skip


def test_it_links_anew_when_what_came_before_cannot_be_built_on() -> None:
    now = kept.basis(receipts=[(1, "a"), (2, "b")], rules_about={"lapsed": {}})
    assert kept.why_anew(None, now)
    assert kept.why_anew({**now, "program": "another"}, now)
    assert kept.why_anew({**now, "receipts": [[1, "a"], [3, "c"]]}, now), "a landing was undone"
    assert kept.why_anew(kept.basis(receipts=[(1, "a")], rules_about={"lapsed": {"x": 1}}), now)
    assert not kept.why_anew(kept.basis(receipts=[(1, "a")], rules_about={"lapsed": {}}), now)


def test_receipts_of_the_paper_leave_room_for_a_month() -> None:
    assert receipt_of("water_bills") < 100
