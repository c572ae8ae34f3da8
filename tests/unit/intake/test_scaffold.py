"""A new municipality's folder holds together from the start; whatever one lacks is told by file and key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from town import AT, absences_csv, write_town

from kodomo.configuration import SHIPPED_MUNICIPALITIES, read_municipality
from kodomo.errors import ConfigurationFault, WrongUsage
from kodomo.governance.register import read_register
from kodomo.intake.layout import read_layouts
from kodomo.intake.receive import receive
from kodomo.intake.scaffold import _not_judged, check_municipality, new_municipality
from kodomo.terms import Purpose


def test_new_folder_holds_together_and_lets_nothing_in(tmp_path, home):
    folder = tmp_path / "mizuki"
    assert new_municipality("みずき町", "架空県", folder)["files"] == sorted(
        [
            "settings.toml",
            "offices.toml",
            "partners.toml",
            "register/items.toml",
            "register/bases.toml",
            "sources/README.txt",
        ]
    )
    town = read_municipality(folder)
    assert (town.name, town.prefecture) == ("みずき町", "架空県")
    register = read_register(folder)
    assert register.bases == () and {"resident_number", "name", "birth_date"} <= set(register.items)
    told = check_municipality(folder)
    assert told["exit_code"] == 3 and "layout draft" in told["faults"][0] and any("根拠" in r for r in told["remarks"])
    assert any("支援措置" in r and "承認者の承認が要ります" in r for r in told["remarks"])


def test_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "x").write_text("x")
    for name, out in (("町", tmp_path), ("町", tmp_path / "x"), ('"', tmp_path / "y"), (" ", tmp_path / "y")):
        with pytest.raises(WrongUsage):
            new_municipality(name, "", out)


def test_whole_folder_has_no_fault(town):
    told = check_municipality(town)
    assert told["faults"] == [] and told["sources"] == 3


@pytest.mark.parametrize(("name", "old", "new", "words"), [
    ("settings.toml", 'name = "ためし町"\n', "", "settings.toml: name: 書かれていません"),
    ("settings.toml", "[capacity]", "[room]", "settings.toml: capacity: 書かれていません"),
    ("settings.toml", "threshold = 7", 'threshold = "七"', "settings.toml: suppression.threshold: 数で"),
    ("settings.toml", '["不登校"]', '["不登校", "退屈"]', "settings.toml: types: 類型「退屈」"),
    ("offices.toml", 'name = "市民課"\n', "", "offices.toml: offices[1].name: 書かれていません"),
    ("register/items.toml", 'code = "birth"\n', "", "items"), ("sources/absences.toml", 'format = "csv"\n', "", "absences.toml: file.format"),
    ("sources/absences.toml", 'holder = "school"', 'holder = "sea"', "「sea」"),
])  # fmt: skip
def test_what_is_missing_is_told_by_file_and_key(town, name, old, new, words):
    path = town / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    told = check_municipality(town)
    assert told["exit_code"] == 3 and any(words in fault for fault in told["faults"]), told["faults"]


@pytest.mark.parametrize("name", ["settings.toml", "offices.toml", "register/items.toml", "register/bases.toml"])
def test_missing_file_stops_receiving_and_is_named(town, name, home, inbox):
    (town / name).unlink()
    (inbox / "出欠_20260401.csv").write_bytes(absences_csv("A1,山田,2026-03,3,0"))
    with pytest.raises(ConfigurationFault) as refusal:
        receive([inbox], home=home, municipality=read_municipality(town), by="t", at=AT)
    assert name.rsplit("/", 1)[-1] in refusal.value.text()
    assert any(name in fault for fault in check_municipality(town)["faults"])


def test_folder_or_layouts_that_are_not_there_are_told_with_what_to_do(tmp_path, town, home, inbox):
    with pytest.raises(ConfigurationFault, match="municipality new"):
        read_municipality(tmp_path / "nowhere")
    for path in (town / "sources").iterdir():
        path.unlink()
    with pytest.raises(ConfigurationFault, match="layout draft"):
        receive([inbox], home=home, municipality=read_municipality(town), by="t", at=AT)
    assert check_municipality(tmp_path / "nowhere")["faults"]


def test_all_faults_of_the_settings_are_told_at_once(tmp_path):
    town = write_town(tmp_path / "t")
    (town / "settings.toml").write_text('code = "1"\n', encoding="utf-8")
    with pytest.raises(ConfigurationFault) as refusal:
        read_municipality(town)
    assert len(refusal.value.details["faults"]) == 5


def test_what_comes_in_and_may_not_be_judged_by_is_told_with_what_is_lost(town):
    bases = town / "register" / "bases.toml"
    text = bases.read_text(encoding="utf-8")
    bases.write_text(text.replace('"absence_days", "late_days", "allowance"', '"absence_days"'), encoding="utf-8")
    remarks = check_municipality(town)["remarks"]
    assert any("判定(JUDGE)の根拠がありません: allowance、late_days" in line for line in remarks)
    # The town calls the birth date by a code of its own, which nothing published would find.
    assert any("「生年月日」の項目が birth です。birth_date という" in line for line in remarks)


def test_a_source_with_the_protection_that_the_register_does_not_know_of_is_named(town):
    path = next(p for p in sorted((town / "sources").glob("*.toml")) if 'kind = "residents"' in p.read_text())
    column = '\n[[columns]]\nname = "抑止"\ntype = "flag"\nperson = "subject"\nfield = "address_protection"\nitem = "address_protection"\n'
    path.write_text(path.read_text() + column)
    remark = next(r for r in check_municipality(town)["remarks"] if "支援措置" in r)
    assert f"レイアウト {read_layouts(town)[path.stem].source} には支援措置の列がある" in remark


def test_a_household_number_for_linking_alone_leaves_the_home_unseen():
    hinata = SHIPPED_MUNICIPALITIES / "hinata"
    register, layouts = read_register(hinata), read_layouts(hinata)
    assert not [line for line in _not_judged(register, layouts.values()) if "household_number" in line]
    linking = tuple(b for b in register.bases if not ("household_number" in b.items and Purpose.JUDGE in b.purposes))
    (told,) = [x for x in _not_judged(replace(register, bases=linking), layouts.values()) if "household_number" in x]
    assert "きょうだい" in told and "空になります" in told
