"""Values that stand in several columns, or count in some rows only; days that neither a file's name nor its rows tell."""

from __future__ import annotations

import pytest
from test_layout_forms import NAME, column, facts, file, layout_of, read

from kodomo.errors import ConfigurationFault

LEFT = (
    '[[columns]]\nname = "状態"\ntype = "code"\ncodes = { "1" = "住登", "2" = "転出" }\n'
    '[[columns]]\nname = "消除日"\ntype = "date"\npart_of = "異動日"\nmatch = "^(.+)$"\nwhen = { "状態" = ["転出"] }\n'
    'item = "residence"\nperson = "subject"\nfield = "resident_to"\n'
)


def test_value_counts_only_in_rows_that_fit_its_condition(tmp_path):
    body = "氏名,状態,異動日\n山田,1,R7.4.1\n森,2,R7.5.1\n".encode()
    assert column(read(tmp_path, file() + NAME + LEFT, body), "resident_to") == [None, "2025-05-01"]


def test_condition_on_a_column_nobody_declared_is_told(tmp_path):
    with pytest.raises(ConfigurationFault, match="状況"):
        layout_of(tmp_path, file() + NAME + LEFT.replace('"状態" = ["転出"]', '"状況" = ["転出"]'))


SEX = '[[columns]]\nname = "性別"\njoin = ["男", "女"]\ntype = "sex"\nitem = "sex"\nperson = "subject"\nfield = "sex"\n'


def test_column_that_is_ticked_is_the_value(tmp_path):
    body = "氏名,男,女\n山田,●,\n森,,○\n林,,\n谷,●,●\n".encode()
    found = read(tmp_path, file() + NAME + SEX, body)
    assert column(found, "sex") == ["男", "女", None]
    assert [(row, code) for row, _, code in found.quarantined] == [(4, "R-08")]


def test_codes_of_several_columns_are_still_put_together(tmp_path):
    body = "氏名,区,分\n山田,1,2\n".encode()
    both = '[[columns]]\nname = "区分"\njoin = ["区", "分"]\ntype = "code"\ncodes = { "12" = "中" }\n[record]\nidentity = ["区分"]\n'
    assert read(tmp_path, file() + NAME + both, body).profile["meanings"] == {"区分": {"中": 1}}


DAYS = (
    '[[columns]]\nname = "欠席日数"\njoin = ["病欠", "事故欠"]\ntype = "integer"\nblank = "0"\n'
    '[[columns]]\nname = "年度"\ntype = "fiscal_year"\n'
    '[[facts]]\nitem = "absence"\nnumber = "欠席日数"\nvalid_from = "年度"\nvalid_to = "year_end"\nknown_from = "年度"\n'
)


def test_figures_of_several_columns_are_added(tmp_path):
    body = "氏名,病欠,事故欠,年度\n山田,1,2,R7\n森,,3,R7\n林,,,R7\n谷,x,1,R7\n".encode()
    found = read(tmp_path, file() + NAME + DAYS, body)
    assert [f[2] for f in facts(found)] == [3.0, 3.0, 0.0]
    assert [(row, code) for row, _, code in found.quarantined] == [(4, "R-06")]


def test_what_holds_for_a_fiscal_year_may_be_known_from_its_beginning(tmp_path):
    found = read(tmp_path, file() + NAME + DAYS, "氏名,病欠,事故欠,年度\n山田,1,2,R7\n".encode())
    assert [str(day) for day in found.landing.facts["known_from"].to_pylist()] == ["2025-04-01"]


EVENTS = (
    '[[columns]]\nname = "異動"\ntype = "code"\ncodes = { "1" = "開始", "9" = "廃止" }\n[[columns]]\nname = "異動日"\ntype = "date"\n'
    '[[facts]]\nitem = "aid"\nvalid_from = "異動日"\nwhen = { "異動" = ["開始"] }\n'
    '[[facts]]\nitem = "aid"\nended_on = "異動日"\nwhen = { "異動" = ["廃止"] }\n'
)


def test_a_row_may_only_end_what_an_earlier_row_began(tmp_path):
    body = "氏名,異動,異動日\n山田,1,R7.4.1\n山田,9,R7.9.30\n".encode()
    found = read(tmp_path, file() + NAME + EVENTS, body)
    assert [f[4:] for f in facts(found)] == [("2025-04-01", "None"), ("2025-10-01", "2025-10-01")]
    assert found.quarantined == []


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ('item = "aid"\n', "どちらか一方"),
        ('item = "aid"\nvalid_from = "異動日"\nended_on = "異動日"\n', "どちらか一方"),
        ('item = "aid"\nended_on = "異動日"\nvalid_to = "month_end"\n', "valid_to を書けません"),
        ('item = "aid"\nended_on = "終了日"\n', "終了日"),
    ],
)
def test_an_end_is_written_instead_of_a_beginning(tmp_path, fact, said):
    with pytest.raises(ConfigurationFault, match=said):
        read(tmp_path, file() + NAME + EVENTS + "[[facts]]\n" + fact, "氏名,異動,異動日\n".encode())


VISIT = (
    '[[columns]]\nname = "年度"\ntype = "fiscal_year"\nfound_in = "file_name"\nmatch = "_(R[0-9]+)"\n'
    '[[columns]]\nname = "月日"\ntype = "date"\nyear_from = "年度"\n'
    '[[facts]]\nitem = "visit"\nvalid_from = "月日"\nvalid_to = "same_day"\n'
)


def test_day_without_its_year_takes_that_of_the_fiscal_year(tmp_path):
    days = ["4/9", "1月31日", "2025-05-01", "３／２(火)", "2/29", "4/31", "春"]
    body = "氏名,月日\n" + "".join(f"山田,{day}\n" for day in days)
    found = read(tmp_path, file() + NAME + VISIT, body.encode(), name="来室_R6.csv")
    assert [str(day) for day in found.landing.facts["valid_from"].to_pylist()] == [
        "2024-04-09", "2025-01-31", "2025-05-01", "2025-03-02",
    ]  # fmt: skip
    assert [(row, code) for row, _, code in found.quarantined] == [(5, "R-04"), (6, "R-04"), (7, "R-04")]


def test_day_without_its_year_is_handed_back_where_nothing_tells_the_year(tmp_path):
    body = "氏名,月日,年\n山田,4/9,\n森,R6.4.9,\n".encode()
    printed = VISIT.replace('found_in = "file_name"\nmatch = "_(R[0-9]+)"', 'also = ["年"]')
    for layout in (printed, printed.replace('year_from = "年度"\n', "")):
        found = read(tmp_path, file() + NAME + layout, body)
        assert [(row, code) for row, _, code in found.quarantined] == [(1, "R-21")]


def test_year_is_taken_from_a_fiscal_year_only(tmp_path):
    with pytest.raises(ConfigurationFault, match="fiscal_year"):
        layout_of(tmp_path, file() + NAME + VISIT.replace('year_from = "年度"', 'year_from = "氏名"'))


SEAT = (
    '[[columns]]\nname = "席"\njoin = ["学校", "学年-組", "番"]\nbetween = "-"\nwhole = true\n'
    'type = "identifier"\nitem = "own_number"\nperson = "subject"\nfield = "own_number"\n'
)


def test_number_of_several_parts_that_lacks_one_is_no_number(tmp_path):
    body = "氏名,学校,学年-組,番\n山田,東小,5-1,8\n森,東小,5-1,\n".encode()
    assert column(read(tmp_path, file() + NAME + SEAT, body), "own_number") == ["東小-5-1-8", None]
    partly = read(tmp_path, file() + NAME + SEAT.replace("whole = true\n", ""), body)
    assert column(partly, "own_number") == ["東小-5-1-8", "東小-5-1"]


def test_spell_that_a_row_does_not_tell_of_cannot_be_reversed(tmp_path):
    layout = (
        '[[columns]]\nname = "区分"\ntype = "code"\ncodes = { "1" = "済", "9" = "不在" }\n'
        '[[columns]]\nname = "出生日"\ntype = "date"\n[[columns]]\nname = "訪問日"\ntype = "date"\n'
        '[[facts]]\nitem = "visit"\ncode = "区分"\nvalid_from = "出生日"\nvalid_to = "訪問日"\nknown_from = "訪問日"\nwhen = { "区分" = ["不在"] }\n'
    )
    body = "氏名,区分,出生日,訪問日\n山田,1,R6.4.9,R6.4.1\n森,9,R6.4.9,R6.4.1\n".encode()
    found = read(tmp_path, file() + NAME + layout, body)
    assert [(row, code) for row, _, code in found.quarantined] == [(2, "R-11")]


DESK = (
    '[[columns]]\nname = "年度"\ntype = "fiscal_year"\nfound_in = "file_name"\nmatch = "_([R0-9]+)"\n'
    '[[columns]]\nname = "校"\ntype = "code"\n{school}codes = {{ "1" = "中央小", "2" = "東小" }}\n'
    '[[columns]]\nname = "組"\ntype = "identifier"\n{room}digits = 2\n'
    '[[columns]]\nname = "席"\njoin = ["年度", "校", "組"]\nbetween = "-"\nwhole = true\ntype = "identifier"\n'
    'item = "own_number"\nperson = "subject"\nfield = "own_number"\n'
)


def test_one_number_is_made_of_what_two_offices_print_differently(tmp_path):
    """中央小 beside 3, and 0103 in one cell of a file named by its month, are the same seat of the same year."""
    apart = file() + NAME + DESK.format(school="", room="")
    cut = (
        file()
        + NAME
        + DESK.format(school='part_of = "学籍番号"\nmatch = "^(..)"\n', room='part_of = "学籍番号"\nmatch = "(..)$"\n')
    )
    first = read(tmp_path, apart, "氏名,校,組\n山田,中央小,3\n森,2,11\n林,,4\n".encode(), "出欠_R6.csv")
    other = read(tmp_path, cut, "氏名,学籍番号\n山田,0103\n森,0211\n".encode(), "出欠_202503.csv")
    assert column(first, "own_number") == ["2024-中央小-03", "2024-東小-11", None]
    assert column(other, "own_number") == ["2024-中央小-03", "2024-東小-11"]


@pytest.mark.parametrize(("name", "year"), [
    ("出欠_202503.csv", "2024"), ("出欠_202504.csv", "2025"), ("出欠_R6.csv", "2024"), ("出欠_2026.csv", "2026"),
])  # fmt: skip
def test_month_in_a_files_name_tells_its_fiscal_year(tmp_path, name, year):
    kept = '[[columns]]\nname = "年度"\ntype = "fiscal_year"\nfound_in = "file_name"\nmatch = "_([R0-9]+)"\n'
    fact = '[[facts]]\nitem = "absence"\nvalid_from = "年度"\nvalid_to = "year_end"\n'
    found = read(tmp_path, file() + NAME + kept + fact, "氏名\n山田\n".encode(), name)
    assert [str(f) for f in found.landing.facts["valid_from"].to_pylist()] == [f"{year}-04-01"]


def test_day_beside_its_fiscal_year_and_month_is_of_the_next_year_in_january(tmp_path):
    parts = '[[columns]]\nname = "年度"\ntype = "fiscal_year"\nfound_in = "file_name"\nmatch = "_(R[0-9]+)"\n'
    parts += '[[columns]]\nname = "日付"\ntype = "date"\njoin = ["年度", "月", "日"]\nfiscal = true\n'
    parts += '[[facts]]\nitem = "absence"\nvalid_from = "日付"\nvalid_to = "same_day"\n'
    found = read(tmp_path, file() + NAME + parts, "氏名,月,日\n山田,4,5\n森,1,31\n".encode(), "預かり_R6.csv")
    assert [str(f) for f in found.landing.facts["valid_from"].to_pylist()] == ["2024-04-05", "2025-01-31"]


def test_babys_age_in_months_is_kept_as_years_and_months(tmp_path):
    age = '[[columns]]\nname = "月齢"\ntype = "text"\nitem = "age"\nperson = "subject"\nfield = "age"\n'
    body = "氏名,月齢\n山田,1歳7か月\n森,１９ヶ月\n林,8カ月児\n谷,34歳\n岡,\n原,3\n".encode()
    assert column(read(tmp_path, file() + NAME + age, body), "age") == [
        "1歳7か月",
        "1歳7か月",
        "0歳8か月",
        "34歳",
        None,
        "3",
    ]
    bare = read(tmp_path, file() + NAME + age + 'after = "か月"\n', "氏名,月齢\n山田,19\n".encode())
    assert column(bare, "age") == ["1歳7か月"]


def test_day_without_its_year_may_lie_before_another_day_of_its_row(tmp_path):
    """A birth told as 3/20 beside a check on 2025-04-30 was in March, beside one on 2025-01-31 the year before."""
    days = '[[columns]]\nname = "健診日"\ntype = "date"\n[[columns]]\nname = "出産日"\ntype = "date"\nyear_from = "健診日"\n'
    told = '[[facts]]\nitem = "birth"\nvalid_from = "出産日"\nvalid_to = "same_day"\n'
    body = "氏名,健診日,出産日\n山田,2025/4/30,3/20\n森,2025/1/31,12/20\n林,2025/1/31,1/31\n谷,,1/31\n岡,2025/1/31,2023/5/1\n".encode()
    found = read(tmp_path, file() + NAME + days + told, body)
    assert [str(f) for f in found.landing.facts["valid_from"].to_pylist()] == [
        "2025-03-20",
        "2024-12-20",
        "2025-01-31",
        "2023-05-01",
    ]
    assert [row for row, *_ in found.quarantined] == [4]


def test_words_put_around_a_date_are_read_with_it(tmp_path):
    year = '[[columns]]\nname = "年度"\ntype = "fiscal_year"\nfound_in = "file_name"\nmatch = "_([0-9]+)年度"\nbefore = "令和"\nafter = "年度"\n'
    fact = '[[facts]]\nitem = "absence"\nvalid_from = "年度"\nvalid_to = "year_end"\n'
    found = read(tmp_path, file() + NAME + year + fact, "氏名\n山田\n".encode(), "利用児童_6年度.csv")
    assert [str(f) for f in found.landing.facts["valid_from"].to_pylist()] == ["2024-04-01"]
