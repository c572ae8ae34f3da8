"""Criteria drafted for a municipality: the shipped ones cut to its items, its own words, and usual indicators for the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from features.factory import Town

from kodomo.configuration import SHIPPED_MUNICIPALITIES, Municipality, read_municipality
from kodomo.errors import WrongUsage
from kodomo.features.catalogue import CLASS
from kodomo.features.criteria import read_criteria
from kodomo.features.item_shapes import Shape
from kodomo.governance.register import Item, read_register
from kodomo.intake.usual_items import usual_items
from kodomo.judgement import draft_criteria as drafting
from kodomo.judgement import draft_labels
from kodomo.judgement.criteria import read_all_criteria
from kodomo.judgement.draft_criteria import draft_criteria, fitting
from kodomo.store.database import Snapshot

ITEMS = {
    "absence_days": ("欠席日数", ("不登校",)), "school_days": ("授業日数", ()), "taxable_income": ("合計所得金額", ("貧困",)),
    "water_arrears_months": ("水道の未納", ("貧困",)), "disability_certificate": ("手帳", ("ヤングケアラー",)),
    "council_registration": ("要対協の登録", ("貧困",)), "council_class": ("要保護の別", ("虐待",)),
    "hearing": ("聴覚の検査", ("発達障がい",)), "checkup_language": ("健診の言語の所見", ("発達障がい",)), "epds_score": ("EPDS合計点", ("産後うつ",)), "epds_item10": ("EPDS項目10", ("産後うつ",)), "never_delivered": ("まだ届かない項目", ("貧困",)),
    "relationship": ("続柄", ()), "birth_date": ("生年月日", ()), "residence": ("異動", ()),
}  # fmt: skip


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    town = Town()
    for n in range(36):
        child, mother = f"c{n:02d}", f"m{n:02d}"
        town.person(child, f"{2012 + n // 6}-06-10", f"h{n}")
        town.person(mother, "1985-05-05", f"h{n}", since="2008-01-01", relationship="妻")
        town.persons[mother]["is_child"] = False
        town.fact(child, "absence_days", "2026-01-01", number=float(n % 4), to="2026-02-01")
        town.fact(child, "school_days", "2026-01-01", number=18.0, to="2026-02-01")
        town.fact(mother, "taxable_income", "2025-04-01", source="tax", number=1e5 * n, to="2026-04-01")
        town.fact(child, "hearing", "2025-05-01", source="checkup", code="要精査" if n % 2 else "異常なし")
        town.fact(child, "checkup_language", "2025-06-01", source="checkup", number=float(n % 4))
        town.fact(child, "epds_score", "2025-07-01", source="checkup", number=float(n % 20))
        town.fact(mother, "epds_item10", "2025-07-01", source="tax", number=float(n % 2))
        if n % 3 == 0:
            town.fact(mother, "water_arrears_months", "2026-01-01", source="water", number=2.0, to="2026-02-01")
            town.fact(
                mother, "disability_certificate", "2020-01-01", source="cards", code="精神障害者保健福祉手帳", to=None
            )
            town.fact(child, "council_registration", "2025-01-01", source="council", code="生活困窮", to=None)
            town.fact(child, "council_class", "2025-01-01", source="council", code="要支援", to=None)
        if n % 3 == 1:
            town.fact(child, "disability_certificate", "2020-01-01", source="cards", code="療育手帳", to=None)
    return town.publish(tmp_path_factory.mktemp("drafted"))


@pytest.fixture
def municipality(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Municipality:
    """A municipality without criteria, whose register holds the items above."""
    items = {code: Item(code, caption, ("school_education",), types=types) for code, (caption, types) in ITEMS.items()}
    shipped = read_register(SHIPPED_MUNICIPALITIES / "hinata")
    monkeypatch.setattr(drafting, "read_register", lambda folder: replace(shipped, items=items, refused={}))
    return replace(read_municipality(SHIPPED_MUNICIPALITIES / "hinata"), folder=tmp_path)


@pytest.fixture
def drafted(municipality: Municipality, snapshot: Snapshot, tmp_path: Path) -> Path:
    told = draft_criteria(municipality, snapshot, tmp_path / "out")
    assert told["faults"] == [] and not told["is_own"]
    return tmp_path / "out"


def test_what_looks_at_items_that_are_not_there_is_left_out_with_all_that_rests_on_it(drafted: Path) -> None:
    criteria = read_all_criteria(drafted)
    assert {item for i in criteria.catalogue.indicators for item in i.items} <= set(ITEMS) - {"never_delivered"}
    codes = set(criteria.catalogue.codes)
    assert {"absence_3m", "arrears_max_12m", "household_income", "one_adult"} <= codes and "late_3m" not in codes
    used = {c.indicator for p in criteria.scenarios.points for c in p.when}
    assert used <= codes and {"household_income", "absence_3m"} <= used


def test_the_shipped_words_give_way_to_the_datas_own(drafted: Path) -> None:
    criteria = read_all_criteria(drafted)
    assert criteria.catalogue["guardian_mental"].codes == ("精神障害者保健福祉手帳",)
    assert [(x.type.label, x.codes) for x in criteria.labels.labels] == [("貧困", ("生活困窮",))]
    assert "# ★ いまのデータに、この類型を表すコードが見つからない" in (drafted / "criteria" / "labels.toml").read_text(
        "utf-8"
    )


def test_what_is_told_of_the_mother_elsewhere_is_asked_of_whom_it_is_told_of_here(drafted: Path) -> None:
    catalogue = read_all_criteria(drafted).catalogue
    assert catalogue["epds_last"].whose == "self" and catalogue["epds_item10"].whose == "mother"


def test_a_word_of_its_own_that_few_bear_is_not_taken_but_a_shipped_one_is() -> None:
    entry = {"code": "guardian_mental", "codes": ["精神", "療育手帳"]}
    block = 'code = "guardian_mental"\ncodes = ["精神", "療育手帳"]\n'

    def drafted_with(*codes: tuple[str, int]) -> tuple[str, list[str]]:
        remarks: list[str] = []
        shape = Shape(
            "disability_certificate",
            ("cards",),
            30,
            30,
            "state",
            False,
            0,
            0,
            0,
            codes,
            frozenset(),
            "household",
            24,
            -1,
        )
        return drafting._fitted(entry, block, shape, remarks), remarks

    text, remarks = drafted_with(("精神保健福祉手帳", 10), ("精神(祖母を介護)", 9), ("療育手帳", 1))
    assert 'codes = ["精神保健福祉手帳", "療育手帳"]' in text and not remarks
    text, remarks = drafted_with(("精神保健福祉手帳", 9))
    assert text.startswith("# ★") and len(remarks) == 1 and "ごく少し" in remarks[0]


def test_support_speaks_against_a_difficulty_only_once_the_municipality_says_so(drafted: Path) -> None:
    text = (drafted / "criteria" / "scenarios.toml").read_text("utf-8")
    assert (
        'code = "v_cert"' in text
        and text.count("is_off = true") == text.count("支援につながっていないことを見るなら") > 0
    )
    criteria = read_all_criteria(drafted)
    assert not [p.code for p in criteria.scenarios.points if p.points < 0]
    assert criteria.catalogue["own_intellectual_disability"].sign == 0


def test_items_no_indicator_uses_get_the_usual_ones_but_never_the_labels_own_source(drafted: Path) -> None:
    criteria = read_all_criteria(drafted)
    assert "hearing_code_1" in criteria.catalogue.codes
    # Written in the same register at the same moment as the registration: it would tell of the label.
    assert not any("council_class" in i.items for i in criteria.catalogue.indicators)


def test_an_item_that_is_a_figure_here_is_asked_of_as_one(drafted: Path) -> None:
    criteria = read_all_criteria(drafted)
    assert "checkup_language_concern" not in {i.code for i in criteria.catalogue.indicators}
    points = {p.code: (p.type.label, p.points) for p in criteria.scenarios.points}
    assert points["v_checkup_language_last_60m_2"] == ("発達障がい", 3)
    assert not {p.code for p in criteria.scenarios.points if any("checkup_language_concern" in str(w) for w in p.when)}


def test_words_that_speak_of_a_worry_get_a_sign_and_points_and_what_denies_it_none(drafted: Path) -> None:
    criteria = read_all_criteria(drafted)
    signs = {i.codes: i.sign for i in criteria.catalogue.indicators if i.item == "hearing"}
    assert signs[("要精査",)] == 1 and signs.get(("異常なし",), 0) == 0
    assert {p.points for p in criteria.scenarios.points if p.code.startswith("v_hearing")} == {3, 5}


def test_of_a_register_of_many_troubles_the_lines_of_abuse_ask_for_abuse(drafted: Path) -> None:
    # All that this register names is poverty: nothing there to tell apart.
    assert read_all_criteria(drafted).catalogue["sibling_registered"].codes == ()
    shape = Shape(
        "council_registration",
        ("council",),
        9,
        9,
        "state",
        False,
        0,
        0,
        0,
        (("虐待", 5), ("困窮", 4)),
        frozenset(),
        "self",
        24,
        15,
    )
    entry = {"code": "sibling_registered", "is_label_trace": True}
    text = drafting._of_one_type(entry, 'caption = "きょうだいの登録"\naggregate = "any"\n', shape, {"虐待"})
    assert 'codes = ["虐待"]' in text and "きょうだいの登録(虐待)" in text
    assert "codes" not in drafting._of_one_type(entry, 'aggregate = "any"\n', shape, {"虐待", "貧困"})


REGISTERS = {
    "bullied": ("いじめの認知", ("仲間はずれ", "ネット"), "いじめ"), "away": ("不登校児童生徒の報告", ("無気力", "家庭"), "不登校"),
    "carer": ("ヤングケアラー把握", ("家事", "通訳"), "ヤングケアラー"), "aid": ("就学援助の認定", ("準要保護", "否認定"), "貧困"),
    "mother_support": ("産後うつの支援", (), "産後うつ"), "service": ("通所受給者証", ("児童発達支援", "放課後等デイサービス"), "発達障がい"),
    "council": ("要対協の登録", ("心理", "ネグレクト"), "虐待"),
    "asked": ("いじめのアンケート", ("はい", "いいえ"), ""), "why": ("就学援助の申請理由", ("失業",), ""), "feeling": ("産後の不安", ("あり",), ""),
    "care_days": ("通所の支給量", (), ""),
}  # fmt: skip


def _shape(item: str, codes: tuple[str, ...]) -> Shape:
    whose = "mother" if item == "mother_support" else "self"
    return Shape(
        item, ("s",), 30, 20, "state", False, 0, 0, 0, tuple((c, 9) for c in codes), frozenset(), whose, 24, 14
    )


def test_registers_that_offices_keep_for_themselves_become_labels() -> None:
    items = {code: Item(code, caption, ("school",)) for code, (caption, _, _) in REGISTERS.items()}
    shapes = {code: _shape(code, codes) for code, (_, codes, _) in REGISTERS.items()}
    found = {kind.label: (caption, text) for kind, caption, text in draft_labels.proposed([], items, shapes)}
    assert {kind: caption for kind, (caption, _) in found.items()} == {
        kind: caption for caption, _, kind in REGISTERS.values() if kind
    }
    assert 'codes = ["準要保護"]' in found["貧困"][1] and "codes" not in found["いじめ"][1]
    assert 'whose = "mother"' in found["産後うつ"][1]
    assert "half_life_months = 6" in found["いじめ"][1], "what passes fades"
    assert "half_life_months" not in found["発達障がい"][1], "what lasts does not"
    # What is registered for a type elsewhere already needs no other register.
    known = [{"type": "いじめ", "item": "council_registration"}, {"type": "不登校", "item": "talks", "weight": 0.5}]
    again = {kind.label for kind, *_ in draft_labels.proposed(known, items, shapes)}
    assert "いじめ" not in again and "不登校" in again


def test_a_register_that_names_other_types_only_is_none_of_this_one() -> None:
    items = {"council_registration": Item("council_registration", "要対協の登録", ("childcare",))}
    shapes = {"council_registration": _shape("council_registration", ("困窮",))}
    assert "虐待" not in {kind.label for kind, *_ in draft_labels.proposed([], items, shapes)}
    shapes = {"council_registration": _shape("council_registration", ("要支援", "要保護"))}
    assert [kind.label for kind, *_ in draft_labels.proposed([], items, shapes)] == ["虐待"]


@pytest.mark.parametrize(("codes", "kept"), [
    (("養護(虐待)", "養護(その他)"), ["養護(虐待)"]), (("身体", "心理・ネグレクト", "性的"), ["身体", "心理・ネグレクト", "性的"]),
    (("虐待", "養育不安"), ["虐待", "養育不安"]), (("身体障害", "非行"), []),
    (("貧困・養育困難", "虐待"), ["虐待"]), (("貧困・養育困難", "非行"), ["貧困・養育困難"]),
])  # fmt: skip
def test_codes_that_name_abuse(codes: tuple[str, ...], kept: list[str]) -> None:
    assert draft_labels.codes_of("虐待", _shape("x", codes)) == kept


def test_a_sibling_recognised_for_a_difficulty_of_the_home_speaks_for_it() -> None:
    items = {code: Item(code, code, ("centre",)) for code in ("aid", "absence", "council")}
    labels = [
        {"type": "貧困", "item": "aid", "codes": ["認定"]}, {"type": "不登校", "item": "absence"},
        {"type": "虐待", "item": "council"}, {"type": "貧困", "item": "absence", "weight": 0.5},
    ]  # fmt: skip
    ((indicator, line),) = draft_labels.of_siblings(labels, items, {("虐待", "council")})
    assert (indicator["whose"], indicator["codes"], indicator["types"]) == ("siblings", ["認定"], ["貧困"])
    assert indicator["is_label_trace"], "nothing is learned from it"
    assert line["type"] == "貧困" and line["when"] == [f"{indicator['code']} >= 1"] and line["points"] > 0


def test_shipped_words_that_another_scale_or_a_mere_yes_would_make_false_give_way() -> None:
    shape = replace(_shape("answer", ()), has_numbers=True, values=4, least=1, most=4)
    entry = {"item": "answer", "sentence": "世話の負担が {value}(0–10)"}
    assert drafting._on_another_scale(entry, {"answer": shape})
    assert not drafting._on_another_scale(entry, {"answer": replace(shape, most=9)})
    assert drafting._of_a_yes('code = "x"\nsentence = "税の滞納の最大が {value} か月"\n') == (
        'code = "x"\nsentence = "税の滞納がある"\nsentence_zero = "税の滞納はない"\n'
    )


def test_a_state_told_anew_each_month_holds_if_the_last_list_said_so() -> None:
    """A list of March comes in April: on 31 March nothing that ends with its month would hold."""
    entry = {"item": "assistance", "at": "now", "aggregate": "any"}
    block = 'code = "assistance_now"\nat = "now"\naggregate = "any"\n'
    monthly = replace(_shape("assistance", ()), spell="month", months=24, beginnings=24)
    assert drafting._of_the_last_month(entry, block, _shape("assistance", ())) == block
    assert 'at = "touching"\nwindow_months = 2\n' in drafting._of_the_last_month(entry, block, monthly)
    every_other = replace(monthly, late=3)
    assert "window_months = 3\n" in drafting._of_the_last_month(entry, block, every_other)
    assert drafting._of_the_last_month({**entry, "aggregate": "count"}, block, monthly) == block
    # an allowance known only when its year is over, and a newest figure older than its window
    yearly = replace(monthly, spell="state", late=13)
    assert 'at = "touching"\nwindow_months = 13\n' in drafting._of_the_last_month(entry, block, yearly)
    newest = {"item": "water", "aggregate": "last", "window_months": 6}
    block = 'code = "water"\nwindow_months = 6\naggregate = "last"\n'
    assert "window_months = 9\n" in drafting._of_the_last_month(newest, block, replace(monthly, late=8))
    assert drafting._of_the_last_month(newest, block, replace(monthly, late=3)) == block


def test_those_refused_do_not_count_as_having_it() -> None:
    entry = {"item": "aid", "at": "now", "aggregate": "any"}
    block = 'code = "aid"\nat = "now"\naggregate = "any"\n'
    shape = replace(_shape("aid", ()), codes=(("準要保護", 345), ("否", 91), ("要保護", 8)))
    assert drafting._of_the_granted(entry, block, shape) == block + 'codes = ["準要保護"]\n'
    assert drafting._of_the_granted({**entry, "codes": ["認定"]}, block, shape) == block
    assert drafting._of_the_granted(entry, block, replace(shape, codes=(("準要保護", 345),))) == block


def test_a_figure_is_not_asked_of_an_item_that_holds_words_here() -> None:
    """相談相手 is 0 or 1 in one city and 夫・実母・いない in another."""
    words = _shape("confidant", (("夫", 20), ("いない", 9)))
    entry = {"item": "confidant", "aggregate": "max"}
    assert drafting._asks_words_for_a_figure(entry, {"confidant": words})
    assert not drafting._asks_words_for_a_figure({**entry, "codes": ["いない"]}, {"confidant": words})
    assert not drafting._asks_words_for_a_figure({**entry, "aggregate": "any"}, {"confidant": words})
    assert not drafting._asks_words_for_a_figure(entry, {"confidant": replace(words, codes=(), has_numbers=True)})


def test_coverage_says_of_every_source_whom_it_lists(drafted: Path) -> None:
    kinds = {name: one.kind for name, one in read_all_criteria(drafted).expectations.sources.items()}
    assert kinds == {"school_attendance": "roster", "tax": "roster", "checkup": "roster", "water": "register",
                     "cards": "register", "council": "register"}  # fmt: skip


def test_own_criteria_are_kept_to_the_letter_and_added_to(
    municipality: Municipality, snapshot: Snapshot, drafted: Path, tmp_path: Path
) -> None:
    own = drafted / "criteria" / "indicators.toml"
    text = own.read_text("utf-8")
    shorter = text[: text.index("\n# ── 下書き")].replace('caption = "直近3か月の欠席日数"', 'caption = "三か月の欠席"')
    own.write_text(shorter + "\n", encoding="utf-8")
    told = draft_criteria(replace(municipality, folder=drafted), snapshot, tmp_path / "again")
    again = (tmp_path / "again" / "criteria" / "indicators.toml").read_text("utf-8")
    assert told["is_own"] and again.startswith(shorter.rstrip()) and "hearing_code_1" in again


def test_nothing_is_written_over(municipality: Municipality, snapshot: Snapshot, drafted: Path) -> None:
    with pytest.raises(WrongUsage, match="criteria フォルダ"):
        draft_criteria(municipality, snapshot, drafted)


@pytest.mark.parametrize(("code", "there", "own"), [
    ("受診済", ["未受診", "受診"], ["受診"]), ("未受診", ["未受診", "受診"], ["未受診"]), ("所得割", ["所得割課税", "非課税"], ["所得割課税"]),
    ("非課税", ["所得割課税", "非課税"], ["非課税"]), ("虐待", ["児童虐待", "いじめ"], ["児童虐待"]), ("経済", ["不登校"], []),
])  # fmt: skip
def test_codes_fit_where_one_says_the_other_and_does_not_deny_it(code: str, there: list[str], own: list[str]) -> None:
    assert fitting(code, there) == own


def test_all_that_is_shipped_for_other_towns_holds_together(tmp_path: Path) -> None:
    """With every usual item there is, nothing is left out: each indicator, point and item belongs to the others."""
    (tmp_path / "criteria").mkdir()
    for name in drafting.FILES:
        (tmp_path / "criteria" / name).write_text(drafting._joined(name), encoding="utf-8")
    criteria = read_all_criteria(tmp_path)
    hinata = read_all_criteria(SHIPPED_MUNICIPALITIES / "hinata")
    assert len(criteria.catalogue.indicators) > len(hinata.catalogue.indicators) + 60
    known = {item.code for item in usual_items()} | set(read_register(SHIPPED_MUNICIPALITIES / "hinata").items)
    more = SHIPPED_MUNICIPALITIES / "usual" / "criteria" / "indicators.toml"
    for entry in read_criteria(more, "indicators", top=(CLASS,)).entries("indicators"):
        assert {entry.values["item"], entry.values.get("per", entry.values["item"])} <= known, entry.values["code"]
