"""What the resident register's own tables say about a child's home: indicators no fact carries (analysis side).

Known weaknesses: a household is a line in the register (世帯分離 and living apart together are invisible);
a person's day of birth is not in the store, so ages count from the month; kinship to a father is often
not recorded by any source.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kodomo.features.cohort import Frame, known, start_column

Values = NDArray[np.float64]

STEP_RELATIONS = ("妻の子", "夫の子", "妻(未届)の子", "夫(未届)の子")
UNRELATED_RELATIONS = ("同居人", "縁故者", "妻(未届)", "夫(未届)", "未届の妻", "未届の夫")
GRANDCHILD = "子の子"

STRUCTURES: dict[str, str] = {
    "age_months": "月齢",
    "grade": "学年(1–9)",
    "household_size": "世帯の人数(本人を含む)",
    "adults": "18歳以上の同居者の数",
    "one_adult": "18歳以上の同居者が一人だけ",
    "children": "18歳未満の人数(本人を含む)",
    "children_under_6": "6歳未満の同居者の数",
    "children_under_3": "3歳未満の同居者の数",
    "older_children": "本人より年上の18歳未満の同居者の数",
    "elders_65": "65歳以上の同居者の数",
    "elders_75": "75歳以上の同居者の数",
    "parents_at_home": "同居する親の数(記録のある者)",
    "nonresident_guardian": "同居していない保護者がいる",
    "household_changes_12m": "12か月以内に世帯が変わった回数",
    "moves_36m": "36か月以内の転入・転居・世帯の変更の回数",
    "adult_joined_12m": "12か月以内に加わった18歳以上の同居者の数",
    "adult_left_12m": "12か月以内に世帯を離れた18歳以上の人の数",
    "moved_in_12m": "12か月以内に転入した",
    "months_resident": "今の居住が始まってからの月数",
    "mother_age_at_birth": "出生時の母の年齢",
    "step_child": "続柄が配偶者の子",
    "grandparent_headed": "祖父母が世帯主",
    "unrelated_adult": "続柄が同居人・縁故者・未届の配偶者である18歳以上の同居者がいる",
}
"""Kinds an indicator's ``structure`` may name."""
AGES = frozenset({"age_months", "grade"})
"""How old a child is: what others are compared by, never itself a reason for worry."""


def structures(frame: Frame, wanted: Collection[str]) -> dict[str, Values]:
    """Values of the wanted structures for every row of the cohort.

    Zero where the register would show it and does not; missing where it cannot know (no household,
    no mother on record).
    """
    found: dict[str, Values] = {
        "age_months": frame.cohort.age_months.astype(np.float64),
        "grade": np.where((frame.cohort.grade >= 1) & (frame.cohort.grade <= 9), frame.cohort.grade, np.nan),
    }
    for parts, query in _QUERIES:
        if set(parts) & set(wanted):
            found |= _scatter(frame, query(frame))
    return {name: _housed(frame, name, found[name]) for name in wanted}


_ABOUT_HOME = frozenset(STRUCTURES) - AGES - {
    "mother_age_at_birth", "moved_in_12m", "months_resident", "household_size", "children",
}  # fmt: skip


def _housed(frame: Frame, name: str, values: Values) -> Values:
    """Zero for a child in a known household of whom the query said nothing; one for the child itself."""
    home = np.array([k is not None for k in frame.cohort.household_key])
    if name in ("household_size", "children"):
        return np.where(home, np.nan_to_num(values) + 1, np.nan)
    if name == "moved_in_12m":
        return np.nan_to_num(values)
    if name in _ABOUT_HOME:
        return np.where(home, np.nan_to_num(values), np.nan)
    return values


def _scatter(frame: Frame, table: ir.Table) -> dict[str, Values]:
    answer = table.to_pyarrow()
    rows = answer["row"].to_numpy()
    spread = {}
    for name in answer.column_names:
        if name != "row":
            values = np.full(len(frame.cohort), np.nan)
            values[rows] = answer[name].cast("float64").to_numpy(zero_copy_only=False)
            spread[name] = values
    return spread


def _housemates(frame: Frame) -> ir.Table:
    mates = frame.engine.table("housemates")
    mates = mates.join(frame.engine.create_table("own_ages", _own_ages(frame), overwrite=True), "row")
    adult, age = mates.age_months >= 216, mates.age_months
    return mates.group_by("row").agg(
        household_size=mates.count(),
        adults=mates.count(where=adult),
        one_adult=(mates.count(where=adult) == 1).cast("int8"),
        children=mates.count(where=age < 216),
        children_under_6=mates.count(where=age < 72),
        children_under_3=mates.count(where=age < 36),
        older_children=mates.count(where=(age < 216) & (age > mates.own_age)),
        elders_65=mates.count(where=age >= 65 * 12),
        elders_75=mates.count(where=age >= 75 * 12),
        unrelated_adult=(mates.count(where=adult & mates.relationship.isin(UNRELATED_RELATIONS)) > 0).cast("int8"),
    )


def _own_ages(frame: Frame) -> pa.Table:
    ages = frame.cohort.age_months
    return pa.table({"row": np.arange(len(ages), dtype=np.int32), "own_age": ages})


def _own_place(frame: Frame) -> ir.Table:
    rows, dwelling = frame.engine.table("rows"), frame.engine.table("dwellings")
    own = rows.join(dwelling, [rows.child_key == dwelling.person_key, rows.as_of == dwelling.as_of])
    return own.select(
        "row",
        step_child=own.relationship.isin(STEP_RELATIONS).fill_null(False).cast("int8"),
        grandparent_headed=(own.relationship == GRANDCHILD).fill_null(False).cast("int8"),
    )


def _parents(frame: Frame) -> ir.Table:
    kin, mates = frame.engine.table("kin"), frame.engine.table("housemates")
    at_home = mates.select("row", "person_key", home=ibis.literal(1))
    pairs = kin.filter(kin.kind != "SIBLING").left_join(at_home, ["row", "person_key"])
    is_parent = pairs.kind.isin(["MOTHER", "FATHER"])
    return pairs.group_by("row").agg(
        parents_at_home=pairs.person_key.nunique(where=is_parent & pairs.home.notnull()),
        nonresident_guardian=(pairs.count(where=pairs.home.isnull()) > 0).cast("int8"),
    )


def _moves(frame: Frame) -> ir.Table:
    """Spells of the child itself that began within the window, birth not counted."""
    rows = frame.engine.table("rows").select("row", "child_key", "as_of").join(frame.engine.table("dates"), "as_of")
    spell = frame.engine.table("household_spells")
    pairs = rows.join(spell, rows.child_key == spell.person_key)
    told = pairs.filter(known(pairs), pairs.valid_from <= pairs.as_of)
    first = ibis.window(group_by="row")
    ranked = told.mutate(first_from=told.valid_from.min().over(first))
    later = ranked.valid_from > ranked.first_from
    return ranked.group_by("row").agg(
        household_changes_12m=ranked.household_key.nunique(where=later & (ranked.valid_from >= ranked.start_12)),
        moves_36m=ranked.valid_from.nunique(where=later & (ranked.valid_from >= ranked.start_36)),
    )


def _joined(frame: Frame) -> ir.Table:
    """Adults whose time in the child's household began within 12 months, not on the day the child's own did."""
    mates = frame.engine.table("housemates").join(frame.engine.table("dates"), "as_of")
    rows, dwelling = frame.engine.table("rows"), frame.engine.table("dwellings")
    own = rows.join(dwelling, [rows.child_key == dwelling.person_key, rows.as_of == dwelling.as_of])
    mates = mates.join(own.select("row", own_began="began"), "row")
    new = (mates.age_months >= 216) & (mates.began >= mates.start_12) & (mates.began != mates.own_began)
    return mates.group_by("row").agg(adult_joined_12m=mates.count(where=new))


def _left(frame: Frame) -> ir.Table:
    """Adults known to have left the child's household within 12 months: seen elsewhere, or gone."""
    rows = frame.engine.table("rows").join(frame.engine.table("dates"), "as_of")
    spell, person = frame.engine.table("household_spells"), frame.engine.table("people")
    dwelling = frame.engine.table("dwellings").select("person_key", "as_of", now_in="household_key")
    past = rows.join(spell, "household_key").filter(
        lambda t: known(t)
        & (t.valid_from <= t.as_of)
        & (t.valid_to <= t.as_of)
        & (t.valid_to >= t.start_12)
        & (t.person_key != t.child_key)
    )
    past = past.select("row", "as_of", "person_key", "household_key").distinct()
    gone = past.left_join(dwelling, ["person_key", "as_of"])
    gone = gone.filter((gone.now_in != gone.household_key).fill_null(True))
    aged = gone.join(person.select("person_key", "as_of", "born_month"), ["person_key", "as_of"])
    months = (aged.as_of.year() - aged.born_month.year()) * 12 + aged.as_of.month() - aged.born_month.month()
    return aged.group_by("row").agg(adult_left_12m=aged.person_key.nunique(where=months >= 216))


def _residence(frame: Frame) -> ir.Table:
    rows = frame.engine.table("rows").join(frame.engine.table("dates"), "as_of")
    spell = frame.engine.table("residence_spells")
    pairs = rows.join(spell, rows.child_key == spell.person_key)
    told = pairs.filter(known(pairs), pairs.valid_from <= pairs.as_of)
    last = told.group_by("row").agg(
        began=told.valid_from.max(),
        began_by=told.began_by.argmax(told.valid_from),
        as_of_month=told.as_of_month.max(),
        start_12=told[start_column(12)].max(),
    )
    months = last.as_of_month - (last.began.year() * 12 + last.began.month() - 1)
    return last.select(
        "row",
        months_resident=months,
        moved_in_12m=((last.began_by == "MOVE_IN") & (last.began >= last.start_12)).fill_null(False).cast("int8"),
    )


def _mother_age(frame: Frame) -> ir.Table:
    kin, person = frame.engine.table("kin"), frame.engine.table("people").select("person_key", "as_of", "born_month")
    mother = kin.filter(kin.kind == "MOTHER").join(person, ["person_key", "as_of"])
    rows = frame.engine.table("rows").select("row", "as_of", person_key="child_key")
    child = rows.join(person, ["person_key", "as_of"]).select("row", child_born="born_month")
    both = mother.join(child, "row")
    months = (both.child_born.year() - both.born_month.year()) * 12 + both.child_born.month() - both.born_month.month()
    # Floor division on months; a record that makes the mother younger than 12 is a wrong link, not a fact.
    years = (months / 12).floor()
    return both.group_by("row").agg(mother_age_at_birth=years.max(where=years >= 12))


_QUERIES: tuple[tuple[tuple[str, ...], Callable[[Frame], ir.Table]], ...] = (
    (
        (
            "household_size", "adults", "one_adult", "children", "children_under_6", "children_under_3",
            "older_children", "elders_65", "elders_75", "unrelated_adult",
        ),
        _housemates,
    ),
    (("step_child", "grandparent_headed"), _own_place),
    (("parents_at_home", "nonresident_guardian"), _parents),
    (("household_changes_12m", "moves_36m"), _moves),
    (("adult_joined_12m",), _joined),
    (("adult_left_12m",), _left),
    (("moved_in_12m", "months_resident"), _residence),
    (("mother_age_at_birth",), _mother_age),
)  # fmt: skip
STRUCTURE_WINDOWS = (12, 36)
"""Windows the structures themselves ask for."""
