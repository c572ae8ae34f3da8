"""Drafts of registers and yearly lists: whose a column is, what a row is, and what the next year's file would overwrite."""

from __future__ import annotations

import re

import pytest
from test_draft_of_offices import draft, person, written


def day(at: int) -> str:
    return f"R5.4.{at + 1}"


def test_register_with_its_latest_move_is_a_register_and_the_move_is_left_to_a_person(tmp_path):
    header = "住民コード,氏名,通称名,通称カナ,生年月日,続柄コード,続柄,住民となった年月日,異動年月日,異動事由"
    rows = [
        f"{7000000 + at},{person(at)},ジョン,ｼﾞﾖﾝ,H2.4.{at + 1},1220,妻の子,{day(at)},{day(at)},{'転出' if at % 2 else '転居'}"
        for at in range(20)
    ]
    body, columns, _ = draft(written(tmp_path / "住民_20260401.csv", header, rows))
    assert body["record"]["kind"] == "residents"
    assert "resident_to" in columns["異動年月日"]["ignore"] and columns["異動事由"]["ignore"]
    assert (
        columns["通称カナ"]["field"] == "alias_kana"
        and not columns["通称カナ"].get("ignore")
        and columns["続柄コード"]["ignore"]
        and columns["続柄"]["field"] == "relationship"
    )


def test_moves_of_whom_one_row_each_stands_there_are_moves(tmp_path):
    header = "宛名番号,氏名,生年月日,異動日,異動事由"
    rows = [f"{7000000 + at},{person(at)},H2.4.{at + 1},{day(at)},転居" for at in range(20)]
    body, _, _ = draft(written(tmp_path / "異動_20260401.csv", header, rows))
    assert body["record"]["kind"] == "moves"


def test_people_a_generation_apart_under_one_header_are_guardian_and_child(tmp_path):
    header = "証書番号,氏名,カナ,生年月日,住所,支給区分,氏名,カナ,生年月日"
    rows = [
        f"第{at:03}号,{person(at)},サトウ アイ,S60.4.{at + 1},緑町{at + 1}-2,1,{person(at + 1)},サトウ レン,H30.4.{at + 1}"
        for at in range(20)
    ]
    body, _, text = draft(written(tmp_path / "手当_20260401.csv", header, rows))
    whose = [(c["name"], c.get("occurrence", 1), c.get("person")) for c in body["columns"] if "field" in c]
    assert whose == [("氏名", 1, "guardian"), ("カナ", 1, "guardian"), ("生年月日", 1, "guardian"), ("住所", 1, "guardian"),
                     ("氏名", 2, "subject"), ("カナ", 2, "subject"), ("生年月日", 2, "subject")]  # fmt: skip
    assert "一世代" in text


def test_woman_of_a_pregnancys_record_is_its_person_with_her_own_reading_and_birth_date(tmp_path):
    header = "届出番号,届出日,妊娠週数,氏名,フリガナ,生年月日,住所,児氏名"
    rows = [
        f"N{at:04},{day(at)},{at + 6},{person(at)},サトウ アイ,H7.4.{at + 1},緑町{at + 1}-2,{person(at + 1)}"
        for at in range(20)
    ]
    _, columns, _ = draft(written(tmp_path / "妊娠届_20260401.csv", header, rows))
    assert {columns[name]["person"] for name in ("氏名", "フリガナ", "生年月日", "住所")} == {"subject"}
    assert columns["児氏名"]["ignore"]


def test_rows_of_sums_end_the_table_however_many_they_are(tmp_path):
    header = "学校コード,学年,組,児童生徒番号,氏名,授業日数,病欠,事故欠,遅刻,早退"
    rows = [f"01,{at % 6 + 1},1,{10000 + at},{person(at)},16,{at % 3},,1,0" for at in range(30)]
    body, _, text = draft(written(tmp_path / "出欠_20260401.csv", header, [*rows, "合計,,,,30名,480,30,0,30,0"]))
    assert body["file"]["footer"] == "^合計" and "データの行は 30 行" in text


def test_sheet_of_clubs_tells_ages_and_towns_and_its_headcount_is_nobody(tmp_path):
    rows = [f"食堂,{name},{at % 6 + 6},緑町" for at, name in enumerate(("そら", "りつ", "かづちゃん", "みお") * 5)]
    _, columns, text = draft(
        written(tmp_path / "参加者_20260401.csv", "会場,よびな,年れい,おすまい", [*rows, ",延べ人数,20,"])
    )
    assert (columns["年れい"]["field"], columns["おすまい"]["field"]) == ("age", "address")
    assert "データの行は 20 行" in text


def test_sex_that_is_ticked_in_one_of_two_columns(tmp_path):
    rows = [f"{7000 + at},{person(at)},{'●,' if at % 2 else ',●'},H30.4.{at + 1}" for at in range(20)]
    _, columns, _ = draft(written(tmp_path / "名簿_20260401.csv", "児童生徒番号,氏名,男,女,生年月日", rows))
    assert columns["性別"]["join"] == ["男", "女"] and columns["性別"]["field"] == "sex" and "男" not in columns


def test_files_of_several_years_are_told_apart_by_their_year_and_files_of_a_day_are_not(tmp_path):
    rows = [f"{7000 + at},{person(at)},H30.4.{at + 1}" for at in range(20)]
    header = "児童生徒番号,氏名,生年月日"
    years = [written(tmp_path / f"名簿_{year}.csv", header, rows) for year in ("令和6年度", "令和7年度")]
    for files in (years, [written(tmp_path / "gakureibo_R7.csv", header, rows)]):
        layout, columns, text = draft(*files)
        assert layout["record"]["identity"] == ["年度", "児童生徒番号"] and 'valid_to = "year_end"' in text
        assert columns["年度"]["found_in"] == "file_name" and re.search(columns["年度"]["match"], files[0].name)
    layout, columns, _ = draft(written(tmp_path / "名簿_20260401.csv", header, rows))
    assert layout["record"]["identity"] == ["児童生徒番号"] and "年度" not in columns


def test_number_of_a_stay_before_is_the_moves_and_codes_beside_their_words_are_left_out(tmp_path):
    header = "宛名番号,氏名,生年月日,異動日,異動事由CD,異動事由,旧宛名番号"
    rows = [f"{7000000 + at},{person(at)},H2.4.{at + 1},{day(at)},20,転居,{6000000 + at}" for at in range(20)]
    _, columns, _ = draft(written(tmp_path / "異動_20260401.csv", header, rows))
    assert columns["異動事由"]["field"] == "event_kind" and columns["異動事由CD"]["ignore"]
    assert columns["宛名番号"]["field"] == "resident_number"
    assert columns["旧宛名番号"]["field"] == "former_number"


def test_former_number_of_a_register_tells_who_came_back(tmp_path):
    header = "宛名番号,世帯番号,前世帯番号,氏名,生年月日,性別,続柄,住所,住民となった日,前宛名番号"
    rows = [
        f"{7000000 + at},{8000000 + at},{5000000 + at},{person(at)},H2.4.{at + 1},男,子,緑町{at + 1}-2,H2.4.{at + 1},{6000000 + at}"
        for at in range(20)
    ]
    layout, columns, _ = draft(written(tmp_path / "住民_20260401.csv", header, rows))
    assert layout["record"]["kind"] == "residents"
    assert (columns["前宛名番号"]["field"], columns["前宛名番号"]["item"]) == ("former_number", "resident_number")
    assert columns["宛名番号"]["field"] == "resident_number" and columns["前世帯番号"]["ignore"]


def test_headers_that_welfare_systems_abbreviate_are_read(tmp_path):
    header = "SHORI_YM,JKY_ATE_NO,JKY_KNSHI,JKY_BYMD,JD_ATE_NO,JD_KJSHI,JD_BYMD,JD_SEX,ZKG_CD,SHO_ADDR"
    rows = [
        f"202510,{7000000 + at},ｻﾄｳ ｱｲ,3600{at % 9 + 101},{8000000 + at},{person(at)},42904{at + 10:02d},{at % 2 + 1},20,緑町{at + 1}-2"
        for at in range(20)
    ]
    _, columns, _ = draft(written(tmp_path / "KJT_202510.csv", header, rows))
    told = {name: (c.get("person"), c.get("field")) for name, c in columns.items()}
    assert told["JKY_ATE_NO"] == ("guardian", "resident_number") and told["JD_ATE_NO"] == ("subject", "resident_number")
    assert told["JKY_KNSHI"] == ("guardian", "name_kana") and told["JD_KJSHI"] == ("subject", "name")
    assert told["JKY_BYMD"] == ("guardian", "born_on") and told["JD_BYMD"] == ("subject", "born_on")
    assert told["JD_SEX"] == ("subject", "sex") and told["SHO_ADDR"][1] == "address"
    assert columns["SHORI_YM"]["type"] == "month"


def test_name_that_each_kind_of_school_heads_otherwise_is_required_of_none(tmp_path):
    rows = [f"{2400000 + at},{at % 6 + 1},1,{person(at)},H30.4.{at + 1}" for at in range(20)]
    schools = {"R7_東小学校.csv": "児童氏名", "R7_東中学校.csv": "生徒氏名"}
    _, columns, _ = draft(
        *(written(tmp_path / name, f"学籍番号,年,組,{header},生年月日", rows) for name, header in schools.items())
    )
    assert columns["学籍番号"]["required"]
    for header in schools.values():
        assert (
            columns[header]["optional"] and not columns[header].get("required") and columns[header]["field"] == "name"
        )


@pytest.mark.parametrize(
    ("head", "codes", "when"),
    [
        ("宛名番号,氏名,事業,異動種別,決定日", ("開始", "廃止"), ('["開始"]', '["廃止"]')),
        ("宛名番号,氏名,事業,区分,事由発生日", ("A", "Z"), ("[]", "[]")),
    ],
)
def test_rows_that_begin_and_rows_that_end_are_drafted_as_such(tmp_path, head, codes, when):
    """A ledger of a benefit's changes: without its rows of ends everybody would receive for ever."""
    rows = [
        f"{100000 + at},{person(at)},{['医療', '住宅'][at % 2]},{codes[at % 3 == 0]},R7.4.{at + 1}" for at in range(28)
    ]
    _, _, text = draft(written(tmp_path / "異動台帳.csv", head, rows))
    facts = text.split("# [[facts]]")[1:3]
    column, day = head.split(",")[3:]
    assert f'# valid_from = "{day}"' in facts[0] and f'# ended_on = "{day}"' in facts[1]
    assert all(
        f'"{column}" = {meant} }}' in fact and '# code = "事業"' in fact
        for fact, meant in zip(facts, when, strict=True)
    )
    _, _, text = draft(
        written(
            tmp_path / "来所.csv",
            "宛名番号,氏名,区分,来所日",
            [f"{100000 + at},{person(at)},{'AZ'[at % 2]},R7.4.{at + 1}" for at in range(28)],
        )
    )
    assert "ended_on" not in text


def test_register_whose_latest_move_is_mostly_blank_is_no_history(tmp_path):
    """As after a change of systems: only who moved since then has a latest move."""
    head = "宛名番号,世帯番号,氏名,生年月日,性別,続柄,住所,住民区分,異動事由,異動年月日"
    rows = [
        f"{100000 + at},{3000 + at // 3},{person(at)},S58.3.{at + 1},男,子,緑町{at}-1,1,{'転居,R7.4.1' if at % 5 == 0 else ','}"
        for at in range(28)
    ]
    body, columns, _ = draft(written(tmp_path / "JUKI_ZENKEN_20240401.csv", head, rows))
    assert body["record"]["identity"] == ["宛名番号"], body["record"]
    assert body["record"]["kind"] == "residents"
    assert columns["異動年月日"]["ignore"].startswith("直近の異動")
    body, _, _ = draft(
        written(tmp_path / "IDO_202404.csv", head, [row.replace(",1,,", ",1,転入,R7.4.2") for row in rows])
    )
    assert body["record"]["kind"] == "moves"


def test_numbers_of_everybody_at_a_change_of_systems_are_moves_of_the_day_in_the_name(tmp_path):
    """旧宛名番号 and 新宛名番号 for each resident: left out, everybody would be two persons."""
    rows = [
        f"{1617732 + at * 37:08d},{230970401256522 + at * 91},{7298810 + at:08d},{230032160099458 + at}"
        for at in range(28)
    ]
    body, columns, _ = draft(
        written(tmp_path / "番号対照表_20260105.csv", "旧宛名番号,新宛名番号,旧世帯番号,新世帯番号", rows)
    )
    assert body["record"]["kind"] == "moves"
    assert columns["旧宛名番号"]["field"] == "former_number" and columns["新宛名番号"]["field"] == "resident_number"
    assert re.search(columns["移行日"]["match"], "番号対照表_20260105.csv")[1] == "20260105"
    assert columns["移行日"]["field"] == "event_on" and columns["異動事由"]["value"] == "番号変更"
    body, _, _ = draft(
        written(
            tmp_path / "手帳_20260105.csv",
            "旧宛名番号,宛名番号,等級",
            [f"{at:08d},{at + 230970401256522},{at % 4}" for at in range(28)],
        )
    )
    assert "kind" not in body["record"]
