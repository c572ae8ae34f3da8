"""Contract holders: who stands behind a name and an address, and where nobody may be named."""

from __future__ import annotations

from pathlib import Path

from .paper import Paper

HOME = "ひなた市北町1-1"


def holder(paper: Paper, source: str = "water_users", **body: str) -> tuple[str, int]:
    return paper.row(source, holder=body)


def many(paper: Paper, count: int = 300) -> None:
    """Enough people for a name's share to be told."""
    for number in range(count):
        paper.resident(f"9{number:04}", f"田中 {'実清茂'[number % 3]}", f"ﾀﾅｶ {('ﾐﾉﾙ', 'ｷﾖｼ', 'ｼｹﾞﾙ')[number % 3]}",
                       f"1985-{1 + number % 12:02}-{1 + number % 28:02}", household_number=f"W{number}", address=f"西町{number + 1}-1")  # fmt: skip


def test_who_lives_at_the_very_number_goes_before_a_namesake_at_a_longer_one(paper: Paper, model_file: Path) -> None:
    here = paper.resident("1001", "望月 明", "ﾓﾁﾂﾞｷ ｱｷﾗ", "1960-01-01", address=HOME)
    paper.resident("1002", "望月 明", "ﾓﾁﾂﾞｷ ｱｷﾗ", "1982-01-01", address=HOME + "-12", household_number="H2")
    two = paper.resident("1003", "三浦 浩", "ﾐｳﾗ ﾋﾛｼ", "1967-01-01", address="南町2-2")
    paper.resident("1004", "三浦 浩", "ﾐｳﾗ ﾋﾛｼ", "1994-01-01", address="南町2-2")
    row = holder(paper, name="望月　明", name_kana="ﾓﾁﾂﾞｷｱｷﾗ", address="北町１番地１")
    father_or_son = holder(paper, name="三浦　浩", name_kana="ﾐｳﾗﾋﾛｼ", address="南町2-2")
    linked = paper.link(model_file)
    assert (linked.person(row, "holder"), linked.rule(row, "holder")) == (linked.person(here), "W1")
    assert linked.person(father_or_son, "holder") is None and linked.person(two) is not None


def test_guardian_at_home_is_known_though_the_child_is_on_no_register(paper: Paper, model_file: Path) -> None:
    father = paper.resident("1001", "堀部 陽悟", "ﾎﾘﾍﾞ ﾊﾙｺﾞ", "1985-01-01", address=HOME, household_number="H1")
    paper.resident("1002", "堀部 陽悟", "ﾎﾘﾍﾞ ﾊﾙｺﾞ", "1970-01-01", address="南町2-2", household_number="H2")
    child = {"name": "堀部 華瑠", "born_on": "2024-03-10"}
    at_home = paper.row("allowance", subject=child, guardian={"name": "堀部　陽悟", "address": "北町１番地１"})
    no_address = paper.row("allowance", subject=child, guardian={"name": "堀部　陽悟"})
    no_mother = paper.row("allowance", subject=child, mother={"name": "堀部　陽悟", "address": "北町１番地１"})
    linked = paper.link(model_file)
    assert (linked.person(at_home, "guardian"), linked.rule(at_home, "guardian")) == (linked.person(father), "W1")
    assert linked.person(no_address, "guardian") is None and linked.person(no_mother, "mother") is None


def test_bills_in_the_name_of_another_of_the_household_are_its_own(paper: Paper, model_file: Path) -> None:
    wife = paper.resident("1001", "山田 延絵", "ﾔﾏﾀﾞ ﾉﾌﾞｴ", "1980-01-01", "女", household_number="H1", address=HOME)
    husband = paper.resident("1002", "山田 誠", "ﾔﾏﾀﾞ ﾏｺﾄ", "1979-01-01", household_number="H1", address=HOME)
    paper.resident("1003", "山田 湊", "ﾔﾏﾀﾞ ﾐﾅﾄ", "2015-01-01", household_number="H1", address=HOME)
    paper.resident("1004", "山田 誠", "ﾔﾏﾀﾞ ﾏｺﾄ", "1960-01-01", household_number="H4", address="南町2-2")
    user = holder(paper, own_number="W1", name="山田延絵", name_kana="ﾔﾏﾀﾞﾉﾌﾞｴ", address="北町1-1")
    paper.row("water_bills", holder={"own_number": "W1", "name_kana": "ﾔﾏﾀﾞﾏｺﾄ"})
    paper.row("water_bills", holder={"own_number": "W1", "name_kana": "ﾔﾏﾀﾞﾐﾅﾄ"})
    paper.row("water_bills", holder={"own_number": "W1", "name_kana": "ﾔﾏﾀﾞｼﾞﾛｳ"})
    paper.row("water_bills", holder={"own_number": "W2", "name_kana": "ﾔﾏﾀﾞﾏｺﾄ"})
    linked = paper.link(model_file, printing=paper_printing())
    found = [linked.person(("water_bills", row), "holder") for row in (1, 2, 3, 4)]
    assert linked.person(user, "holder") == linked.person(wife)
    assert found == [linked.person(husband), None, None, None]  # no child, no stranger, no other number
    assert linked.rule(("water_bills", 1), "holder") == "W5"


def test_husband_whose_name_is_one_kana_from_his_wifes_is_no_slip_of_it(paper: Paper, model_file: Path) -> None:
    paper.resident("1001", "福本 佑桂", "ﾌｸﾓﾄ ﾕｳｶ", "1980-01-01", "女", household_number="H1", address=HOME)
    husband = paper.resident("1002", "福本 裕二", "ﾌｸﾓﾄ ﾕｳｼﾞ", "1979-01-01", household_number="H1", address=HOME)
    holder(paper, own_number="W1", name="福本佑桂", name_kana="ﾌｸﾓﾄﾕｳｶ", address="北町1-1")
    bill = paper.row("water_bills", holder={"own_number": "W1", "name_kana": "ﾌｸﾓﾄﾕｳｼﾞ"})
    linked = paper.link(model_file, printing=paper_printing())
    assert linked.person(bill, "holder") == linked.person(husband)


def test_bill_without_an_address_is_of_who_bears_the_name_where_the_tap_is(paper: Paper, model_file: Path) -> None:
    tenant = paper.resident("1001", "宮原 恵", "ﾐﾔﾊﾗ ﾒｸﾞﾐ", "1980-01-01", "女", address=HOME)
    paper.resident("1002", "宮原 恵", "ﾐﾔﾊﾗ ﾒｸﾞﾐ", "1970-01-01", "女", address="南町2-2")
    holder(paper, own_number="W1", name="(有)ひなた不動産", address="北町1-1")
    bill = paper.row("water_bills", holder={"own_number": "W1", "name_kana": "ﾐﾔﾊﾗﾒｸﾞﾐ"})
    stranger = paper.row("water_bills", holder={"own_number": "W1", "name_kana": "ﾐﾔﾊﾗﾅｵｺ"})
    elsewhere = paper.row("water_bills", holder={"own_number": "W9", "name_kana": "ﾐﾔﾊﾗﾒｸﾞﾐ"})
    linked = paper.link(model_file, printing=paper_printing())
    assert (linked.person(bill, "holder"), linked.rule(bill, "holder")) == (linked.person(tenant), "W8")
    assert linked.person(stranger, "holder") is None and linked.person(elsewhere, "holder") is None


def paper_printing() -> object:
    from kodomo.linkage.forms import Printing

    return Printing({"water_users": "tap", "water_bills": "tap"}, "架空県", "ひなた市")


def test_another_surname_at_the_same_number_is_followed_for_a_name_rare_enough_there(
    paper: Paper, model_file: Path
) -> None:
    many(paper)
    nami = paper.resident("1001", "岡本 菜美", "ｵｶﾓﾄ ﾅﾐ", "1985-01-01", "女", address=HOME)
    paper.resident("1002", "田中 実", "ﾀﾅｶ ﾐﾉﾙ", "1985-01-30", address="南町2-2")
    renamed = holder(paper, name="早川 菜美", name_kana="ﾊﾔｶﾜ ﾅﾐ", address="北町1-1")
    paper.resident("1003", "岸 奈津", "ｷｼ ﾅﾂ", "1985-02-02", "女", address="東町3-3")
    paper.resident("1004", "大貫 奈津", "ｵｵﾇｷ ﾅﾂ", "1986-02-02", "女", address="東町4-4")
    of_another = holder(paper, name="大貫 奈津", name_kana="ｵｵﾇｷ ﾅﾂ", address="東町3-3")
    other_house = holder(paper, name="早川 菜美", name_kana="ﾊﾔｶﾜ ﾅﾐ", address="北町1-2")
    common = holder(paper, name="森 実", name_kana="ﾓﾘ ﾐﾉﾙ", address="南町2-2")
    linked = paper.link(model_file)
    assert (linked.person(renamed, "holder"), linked.rule(renamed, "holder")) == (linked.person(nami), "W4")
    assert linked.person(other_house, "holder") is None and linked.person(common, "holder") is None
    assert linked.rule(of_another, "holder") != "W4"


def test_of_father_and_son_of_one_name_their_years_fashion_chooses_none(paper: Paper, model_file: Path) -> None:
    many(paper, 900)
    for number, born in (("1001", "1941-06-06"), ("1002", "1986-11-26")):
        paper.resident(number, "山口 秀明", "ﾔﾏｸﾞﾁ ﾋﾃﾞｱｷ", born, address=HOME, household_number="H1")
    bill = holder(paper, name="山口秀明", name_kana="ﾔﾏｸﾞﾁﾋﾃﾞｱｷ", address="北町1-1")
    assert paper.link(model_file).person(bill, "holder") is None


def test_foreign_name_turned_about_or_cut_short_is_known_at_its_own_number_only(paper: Paper, model_file: Path) -> None:
    suman = paper.resident("1001", "ＧＵＲＵＮＧ　ＫＵＭＡＲ　ＳＵＭＡＮ", "ｸﾞﾙﾝ ｽﾏﾝ ｸﾏﾙ", "1985-01-01", address=HOME)
    paper.resident("1002", "ＮＧＵＹＥＮ　ＢＡＯ", "ｸﾞｴﾝ ｻﾞﾊﾞｵ", "1986-01-01", address="南町2-2")
    paper.resident("1003", "ＮＧＵＹＥＮ　ＨＯＡ", "ｸﾞｴﾝ ｻﾞﾎｱ", "1987-01-01", address="南町2-2")
    turned = holder(paper, name_kana="ｽﾏﾝｸﾏﾙｸﾞﾙﾝ", address="北町1-1")
    elsewhere = holder(paper, name_kana="ｽﾏﾝｸﾏﾙｸﾞﾙﾝ", address="北町3-3")
    two = holder(paper, name_kana="ｸﾞｴﾝｻﾞ", address="南町2-2")
    linked = paper.link(model_file)
    assert (linked.person(turned, "holder"), linked.rule(turned, "holder")) == (linked.person(suman), "W3")
    assert linked.person(elsewhere, "holder") is None and linked.person(two, "holder") is None


def test_address_without_the_former_village_and_the_small_section_is_of_who_bears_the_name_at_that_lot(
    paper: Paper, model_file: Path
) -> None:
    def at(number: str, name: str, kana: str, address: str) -> tuple[str, int]:
        return paper.resident(
            number, name, kana, "1970-01-01", address=f"ひなた市{address}", household_number=f"H{number}"
        )

    branch = at("1001", "五味 和江", "ｺﾞﾐ ｶｽﾞｴ", "奥沢大字鬼無沢字大久保860番地16")
    lettered = at("1002", "熊谷 健弘", "ｸﾏｶﾞｲ ﾀｹﾋﾛ", "鳥谷大字日影字中原ロ478番地7")
    foreign = at("1003", "ＧＵＲＵＮＧ　ＳＵＭＡＮ", "ｸﾞﾙﾝ ｽﾏﾝ", "奥沢大字鬼無沢字大久保12番地")
    for number, section in (("1004", "上原"), ("1005", "下原")):
        at(number, "小林 誠", "ｺﾊﾞﾔｼ ﾏｺﾄ", f"大字新田字{section}31番地")
    rows = [
        holder(paper, name="五味和江", name_kana="ｺﾞﾐｶｽﾞｴ", address="鬼無沢 860-16"),
        holder(paper, name="熊谷健弘", name_kana="ｸﾏｶﾞｲﾀｹﾋﾛ", address="日影 ロ478-7"),
        holder(paper, name_kana="ｽﾏﾝｸﾞﾙﾝ", address="鬼無沢 12"),
    ]
    two = holder(paper, name="小林誠", name_kana="ｺﾊﾞﾔｼﾏｺﾄ", address="大字新田31")
    at("1006", "百瀬 仁美", "ﾓﾓｾ ﾋﾄﾐ", "西本町3番5号")
    other_town = holder(paper, name="百瀬仁美", name_kana="ﾓﾓｾﾋﾄﾐ", address="本町 3-5")
    other_letter = holder(paper, name="熊谷健弘", name_kana="ｸﾏｶﾞｲﾀｹﾋﾛ", address="日影 ハ478-7")
    other_lot = holder(paper, name="五味和江", name_kana="ｺﾞﾐｶｽﾞｴ", address="鬼無沢 860-1")
    linked = paper.link(model_file)
    assert [linked.person(row, "holder") for row in rows] == [linked.person(p) for p in (branch, lettered, foreign)]
    assert [linked.rule(row, "holder") for row in rows] == ["W10", "W10", "W3"]
    assert {linked.person(row, "holder") for row in (two, other_town, other_letter, other_lot)} == {None}


def test_former_village_that_the_register_leaves_out_and_an_office_goes_on_writing_is_no_other_place(
    paper: Paper, model_file: Path
) -> None:
    home = paper.resident("1001", "伊波 諒", "ｲﾊ ﾘｮｳ", "1970-01-01", address="ひなた市字安部崎2601番地")
    paper.resident("1002", "比嘉 彩", "ﾋｶﾞ ｱﾔ", "1970-01-01", address="ひなた市字西安部崎488番地", household_number="H2")
    village, in_front = (
        holder(paper, name_kana="ｲﾊ ﾘｮｳ", address=address)
        for address in ("久志間村字安部崎２６０１", "久志間字安部崎２６０１")
    )
    other_town = holder(paper, name_kana="ﾋｶﾞ ｱﾔ", address="字安部崎４８８")
    linked = paper.link(model_file)
    assert [linked.person(row, "holder") for row in (village, in_front)] == [linked.person(home)] * 2
    assert linked.rule(village, "holder") == "W10" and linked.person(other_town, "holder") is None


def test_address_that_a_school_told_of_the_family_serves_where_the_register_has_only_the_newest(
    paper: Paper, model_file: Path
) -> None:
    father = paper.resident("1001", "工藤 実", "ｸﾄﾞｳ ﾐﾉﾙ", "1980-01-01", household_number="H1", address=HOME)
    paper.resident("1002", "工藤 湊", "ｸﾄﾞｳ ﾐﾅﾄ", "2015-01-01", household_number="H1", address=HOME)
    paper.resident("1003", "工藤 実", "ｸﾄﾞｳ ﾐﾉﾙ", "1950-01-01", household_number="H3", address="南町2-2")
    paper.row(
        "school_enrolment",
        subject={"name": "工藤 湊", "name_kana": "クドウ ミナト", "born_on": "2015-01-01", "address": "浜町7-3"},
    )
    before = holder(paper, name="工藤実", name_kana="ｸﾄﾞｳﾐﾉﾙ", address="浜町7-3")
    nobodys = holder(paper, name="工藤実", name_kana="ｸﾄﾞｳﾐﾉﾙ", address="浜町7-4")
    otherwise = holder(paper, name="工藤稔", name_kana="ｸﾄﾞｳﾐﾉﾙ", address="浜町7-3")
    linked = paper.link(model_file)
    assert (linked.person(before, "holder"), linked.rule(before, "holder")) == (linked.person(father), "W6")
    assert linked.person(nobodys, "holder") is None and linked.person(otherwise, "holder") is None


GONE = "他県別市松園町3-16-15"


def gone(paper: Paper, number: str = "1001", **more: str) -> tuple[str, int]:
    body = {
        "household_number": "H1",
        "address": HOME,
        "resident_to": "2025-05-01",
        "resident_to_reason": "転出",
        "moved_to": GONE,
    }
    return paper.resident(number, "野崎 香織", "ﾉｻﾞｷ ｶｵﾘ", "1980-01-01", "女", **{**body, **more})


def test_contract_sent_after_somebody_who_moved_is_theirs(paper: Paper, model_file: Path) -> None:
    kaori = gone(paper)
    came = paper.resident("1002", "高井 豊", "ﾀｶｲ ﾕﾀｶ", "1970-01-01", address="南町2-2", moved_from="他県別市本町1-1")
    there = holder(paper, name="野崎香織", name_kana="ﾉｻﾞｷｶｵﾘ", address="他県別市松園町３丁目16番15号")
    next_door = holder(paper, name="野崎香織", name_kana="ﾉｻﾞｷｶｵﾘ", address="他県別市松園町3-16-16")
    other_name = holder(paper, name="野崎一郎", name_kana="ﾉｻﾞｷｲﾁﾛｳ", address=GONE)
    before = holder(paper, name="高井 豊", name_kana="ﾀｶｲﾕﾀｶ", address="他県別市本町1-1")
    linked = paper.link(model_file)
    assert (linked.person(there, "holder"), linked.rule(there, "holder")) == (linked.person(kaori), "W7")
    assert linked.person(before, "holder") == linked.person(came)
    assert linked.person(next_door, "holder") is None and linked.person(other_name, "holder") is None


def test_where_a_protected_person_went_is_never_compared(paper: Paper, model_file: Path) -> None:
    gone(paper, address_protection="1")
    row = holder(paper, name="野崎香織", name_kana="ﾉｻﾞｷｶｵﾘ", address=GONE)
    assert paper.link(model_file).person(row, "holder") is None


def test_nor_where_another_office_or_another_of_the_household_tells_of_the_protection(
    paper: Paper, model_file: Path
) -> None:
    gone(paper)
    paper.row(
        "dv_list",
        subject={"name": "野崎 香織", "name_kana": "ﾉｻﾞｷ ｶｵﾘ", "born_on": "1980-01-01", "address_protection": "1"},
    )
    row = holder(paper, name="野崎香織", name_kana="ﾉｻﾞｷｶｵﾘ", address=GONE)
    paper.resident(
        "2001", "乙部 透", "ｵﾄﾍﾞ ﾄｵﾙ", "1980-01-01", household_number="H2", address="南町2-2", moved_to="他県別市本町1-1"
    )
    paper.resident(
        "2002", "乙部 凛", "ｵﾄﾍﾞ ﾘﾝ", "2015-01-01", household_number="H2", address="南町2-2", address_protection="1"
    )
    beside = holder(paper, name="乙部透", name_kana="ｵﾄﾍﾞﾄｵﾙ", address="他県別市本町1-1")
    linked = paper.link(model_file)
    assert linked.person(row, "holder") is None and linked.person(beside, "holder") is None


def test_reading_at_an_address_is_not_enough_where_somebody_else_is_written_just_so(
    paper: Paper, model_file: Path
) -> None:
    paper.resident("1", "水口 隆史", "ﾐｽﾞｸﾞﾁ ﾀｶｼ", "1976-09-29", address="北町2-2")
    paper.resident("2", "水口 隆", "ﾐｽﾞｸﾞﾁ ﾀｶｼ", "1954-09-16", address="南町1-1")
    slip = paper.resident("3", "森 健一", "ﾓﾘ ｹﾝｲﾁ", "1970-01-01", address="東町3-3")
    other = paper.row("water_bills", holder={"name": "水口 隆", "name_kana": "ミズグチ タカシ", "address": "北町2-2"})
    written_wrong = paper.row(
        "water_bills", holder={"name": "森 憲一", "name_kana": "モリ ケンイチ", "address": "東町3-3"}
    )
    linked = paper.link(model_file)
    assert linked.person(other, "holder") is None
    assert linked.person(written_wrong, "holder") == linked.person(slip)


def test_address_in_kana_is_read_as_people_known_by_number_live(paper: Paper, model_file: Path) -> None:
    """Tax and water print towns by their reading, which no list of towns tells for a place so small."""
    for number in range(6):
        paper.resident(f"80{number}", f"佐藤 {'実清茂誠勇勲'[number]}", "ｻﾄｳ ｱ", f"196{number}-01-01", address=f"下津原{number + 1}番地", household_number=f"S{number}")  # fmt: skip
        paper.row(
            "tax", subject={"resident_number": f"80{number}", "name_kana": "ｻﾄｳ ｱ", "address": f"ｼﾓﾂﾊﾗ{number + 1}"}
        )
    came = paper.resident("1001", "内田 和彦", "ｳﾁﾀﾞ ｶｽﾞﾋｺ", "1998-06-13", address="下津原636番地")
    paper.resident("1002", "内田 和彦", "ｳﾁﾀﾞ ｶｽﾞﾋｺ", "1940-01-27", address="栄町636番地", household_number="H2")
    bill = holder(paper, name_kana="ｳﾁﾀﾞ ｶｽﾞﾋｺ", address="ｼﾓﾂﾊﾗ636")
    unread = holder(paper, name_kana="ｳﾁﾀﾞ ｶｽﾞﾋｺ", address="ｻｶｴﾏﾁ636")
    linked = paper.link(model_file)
    assert (linked.person(bill, "holder"), linked.rule(bill, "holder")) == (linked.person(came), "W1")
    assert linked.person(unread, "holder") is None


def test_a_town_in_kana_before_its_country_line_is_read_as_well(paper: Paper, model_file: Path) -> None:
    """Meter readers write ﾐﾄﾞﾘｻﾜ E3L N5 and no lot: the reading is learned over all lines of the town."""
    names = [(f"佐藤 {given}", f"ｻﾄｳ {kana}") for given, kana in zip("実清茂誠勇勲", ("ﾐﾉﾙ", "ｷﾖｼ", "ｼｹﾞﾙ", "ﾏｺﾄ", "ｲｻﾑ", "ｲｻｵ"), strict=True)]  # fmt: skip
    for at, (name, kana) in enumerate(names):
        paper.resident(f"80{at}", name, kana, f"196{at}-01-01", "男", address=f"緑沢町東{at + 1}線北5号{at + 7}番地", household_number=f"S{at}")  # fmt: skip
        holder(paper, name=name, name_kana=kana, address=f"ﾐﾄﾞﾘｻﾜ E{at + 1}L N5")
    came = paper.resident("1001", "内田 和彦", "ｳﾁﾀﾞ ｶｽﾞﾋｺ", "1968-06-13", address="緑沢町西9線北3号8番地")
    paper.resident("1002", "内田 和彦", "ｳﾁﾀﾞ ｶｽﾞﾋｺ", "1940-01-27", address="栄町西9線北3号8番地", household_number="H2")
    bill = holder(paper, name="内田 和彦", name_kana="ｳﾁﾀﾞ ｶｽﾞﾋｺ", address="ﾐﾄﾞﾘｻﾜ W9L N3")
    unread = holder(paper, name="内田 和彦", name_kana="ｳﾁﾀﾞ ｶｽﾞﾋｺ", address="ｻｶｴ W9L N3")
    linked = paper.link(model_file)
    assert (linked.person(bill, "holder"), linked.rule(bill, "holder")) == (linked.person(came), "W1")
    assert linked.person(unread, "holder") is None


def test_towns_that_the_water_system_alone_prints_in_kana_are_learned_from_its_own_namesakes(
    paper: Paper, model_file: Path
) -> None:
    names = [f"佐藤 {given}" for given in "実清茂誠勇勲"]
    for at, (name, kana) in enumerate(zip(names, ("ﾐﾉﾙ", "ｷﾖｼ", "ｼｹﾞﾙ", "ﾏｺﾄ", "ｲｻﾑ", "ｲｻｵ"), strict=True)):
        body = (name, f"ｻﾄｳ {kana}", f"196{at}-01-01", "男")
        paper.resident(f"80{at}", *body, address=f"下津原{at + 1}番地", household_number=f"S{at}")
    came = paper.resident("1001", "内田 和彦", "ｳﾁﾀﾞ ｶｽﾞﾋｺ", "1968-06-13", address="下津原636番地")
    paper.resident("1002", "内田 和彦", "ｳﾁﾀﾞ ｶｽﾞﾋｺ", "1940-01-27", address="栄町636番地", household_number="H2")
    moved = paper.resident("1003", "野崎 香織", "ﾉｻﾞｷ ｶｵﾘ", "1970-01-27", "女", address="栄町8番地")
    paper.move("1003", "2025-05-01", "転居", address="栄町8番地", moved_from="下津原77番地")
    kana = ("ﾐﾉﾙ", "ｷﾖｼ", "ｼｹﾞﾙ", "ﾏｺﾄ", "ｲｻﾑ", "ｲｻｵ")
    bills = [
        holder(paper, name=names[at], name_kana=f"ｻﾄｳ {kana[at]}", address=f"ｼﾓﾂﾊﾗ{at + 1}") for at in range(len(names))
    ]
    bill = holder(paper, name="内田 和彦", name_kana="ｳﾁﾀﾞ ｶｽﾞﾋｺ", address="ｼﾓﾂﾊﾗ636")
    unread = holder(paper, name="内田 和彦", name_kana="ｳﾁﾀﾞ ｶｽﾞﾋｺ", address="ｻｶｴﾏﾁ636")
    before = holder(paper, name="野崎 香織", name_kana="ﾉｻﾞｷ ｶｵﾘ", address="ｼﾓﾂﾊﾗ77")
    linked = paper.link(model_file)
    assert (linked.person(bill, "holder"), linked.rule(bill, "holder")) == (linked.person(came), "W1")
    assert (linked.person(before, "holder"), linked.rule(before, "holder")) == (linked.person(moved), "W7")
    assert {linked.rule(place, "holder") for place in bills} == {"W1"}
    assert linked.person(unread, "holder") is None


def test_a_reading_that_nobody_has_is_a_slip_of_who_lives_there(paper: Paper, model_file: Path) -> None:
    # Clerks key readings in by hand: タオリ for サオリ, マエト for マエダ.
    saori = paper.resident("1001", "前田 沙織", "ﾏｴﾀﾞ ｻｵﾘ", "1960-01-01", "女", address=HOME)
    paper.resident("1002", "三浦 隆", "ﾐｳﾗ ﾀｶｼ", "1967-01-01", address="南町2-2", household_number="H2")
    paper.resident("1003", "望月 貴夫", "ﾓﾁﾂﾞｷ ﾀｶｵ", "1967-01-01", address="東町3-3", household_number="H3")
    for at, given in enumerate(("ﾐﾎ", "ﾐｶ")):
        paper.resident(f"100{4 + at}", f"森 {'美'}{'穂香'[at]}", f"ﾓﾘ {given}", "1970-01-01", "女", address="西町4-4")
    given, family = (holder(paper, name_kana=kana, address="北町１番地１") for kana in ("ﾏｴﾀﾞ ﾀｵﾘ", "ﾏｴﾄ ｻｵﾘ"))
    a_brother = holder(paper, name_kana="ﾐｳﾗ ﾀｶｵ", address="南町2-2")
    one_of_two = holder(paper, name_kana="ﾓﾘ ﾐﾇ", address="西町4-4")
    elsewhere = holder(paper, name_kana="ﾏｴﾀﾞ ﾀｵﾘ", address="北町5-5")
    linked = paper.link(model_file)
    assert [linked.person(row, "holder") for row in (given, family)] == [linked.person(saori)] * 2
    assert linked.rule(given, "holder") == linked.rule(family, "holder") == "W9"
    assert {linked.rule(row, "holder") for row in (a_brother, one_of_two, elsewhere)}.isdisjoint({"W9"})


def test_roman_name_without_a_reading_is_read_as_its_parts_are_in_others_names(paper: Paper, model_file: Path) -> None:
    """Registers seldom hold a foreigner's reading, and a water bill holds nothing else."""
    names = [("GARCIA MARIA", "ｶﾞﾙｼｱ ﾏﾘｱ"), ("GARCIA ANNA", "ｶﾞﾙｼｱ ｱﾝﾅ"), ("REYES JOSHUA", "ﾚｲｴｽ ｼﾞｮｼｭｱ"), ("CRUZ JOSHUA", "ｸﾙｽ ｼﾞｮｼｭｱ")]  # fmt: skip
    for number, (name, kana) in enumerate(names):
        paper.resident(f"200{number}", name, kana, f"198{number}-01-01", address=f"南町{number + 2}-1")
    own = paper.resident("1001", "GARCIA JOSHUA", "", "1985-05-05", address="川町2-3")
    other = paper.resident("1002", "CRUZ MARIA", "", "1985-05-05", "女", address="川町2-4")
    bill = paper.row("water", holder={"name_kana": "ｶﾞﾙｼｱ ｼﾞｮｼｭｱ", "own_number": "W1", "address": "川町2-3"})
    unheard = paper.row("water", holder={"name_kana": "ｸﾙｽ ｼﾞｮｼｭｱ", "own_number": "W2", "address": "川町2-4"})
    linked = paper.link(model_file)
    assert linked.person(bill, "holder") == linked.person(own)
    assert linked.person(unheard, "holder") != linked.person(other)


def test_a_surname_read_as_others_read_it_is_who_lives_there(paper: Paper, model_file: Path) -> None:
    """山城 is ヤマグスク in one family and ヤマシロ in the next; a 通称 is registered without a reading."""
    ushi = paper.resident("1001", "山城 ウシ", "ﾔﾏｸﾞｽｸ ｳｼ", "1950-01-01", "女", address=HOME)
    paper.resident("1002", "山城 太人", "ﾔﾏｼﾛ ﾀﾄ", "1990-01-01", address="南町2-2", household_number="H2")
    foreign = paper.resident("1003", "THOMAS JAMES", "ﾄｰﾏｽ ｼﾞｪｰﾑｽﾞ", "1985-01-01", alias_name="山城 太人", address="東町3-3", household_number="H3")  # fmt: skip
    paper.resident("1004", "金城 裕子", "ｷﾝｼﾞｮｳ ﾕｳｺ", "1970-01-01", "女", address="西町4-4", household_number="H4")
    paper.resident("1005", "上原 裕子", "ｳｴﾊﾗ ﾋﾛｺ", "1971-01-01", "女", address="西町5-5", household_number="H5")
    read_otherwise = holder(paper, name_kana="ﾔﾏｼﾛ ｳｼ", address="北町1-1")
    by_alias = holder(paper, name_kana="ﾔﾏｼﾛ ﾀﾄ", address="東町3-3")
    not_her_name = holder(paper, name_kana="ｷﾝｼﾞｮｳ ﾋﾛｺ", address="西町4-4")
    nobodys_reading = holder(paper, name_kana="ﾔﾏｷ ｳｼ", address="北町1-1")
    linked = paper.link(model_file)
    assert (linked.person(read_otherwise, "holder"), linked.rule(read_otherwise, "holder")) == (
        linked.person(ushi),
        "W11",
    )
    assert (linked.person(by_alias, "holder"), linked.rule(by_alias, "holder")) == (linked.person(foreign), "W11")
    assert linked.person(not_her_name, "holder") is None and linked.person(nobodys_reading, "holder") is None


def test_two_kana_in_each_others_place_are_a_slip_of_who_lives_there(paper: Paper, model_file: Path) -> None:
    chiharu = paper.resident("1001", "宮國 千春", "ﾐﾔｸﾆ ﾁﾊﾙ", "1975-01-01", "女", address=HOME)
    paper.resident("1002", "岸 直美", "ｷｼ ﾅｵﾐ", "1975-02-01", "女", address="南町2-2", household_number="H2")
    paper.resident("1003", "森 ミオナ", "ﾓﾘ ﾐｵﾅ", "1975-02-01", "女", address="西町2-2", household_number="H3")
    swapped = holder(paper, name_kana="ﾐﾔｸﾆ ﾁﾙﾊ", address="北町1-1")
    may_be_another = holder(paper, name_kana="ｷｼ ﾐｵﾅ", address="南町2-2")
    linked = paper.link(model_file)
    assert (linked.person(swapped, "holder"), linked.rule(swapped, "holder")) == (linked.person(chiharu), "W9")
    assert linked.person(may_be_another, "holder") is None
