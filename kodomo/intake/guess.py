"""What each column of an undescribed file is, from its name and its values together, with the evidence (identity side)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as fresh
from itertools import pairwise

from kodomo.intake import column_words as words
from kodomo.intake.cells import DITTO
from kodomo.intake.dates import read_date, read_day_of_year
from kodomo.intake.header import printable
from kodomo.intake.individual_number import NumberWatch
from kodomo.intake.shifted import without_strays
from kodomo.intake.value_kinds import SHORT, Kinds, kinds_of

NOTATIONS = {
    "era": "元号つきの日付", "era_code": "元号コードつき 7 桁", "western": "西暦の日付", "western_digits": "西暦 8 桁",
    "six": "6 桁(元号が書かれていない)", "short_year": "二桁の西暦", "month_words": "年月", "month_digits": "年月の数字",
    "serial": "表計算ソフトの通し番号",
}  # fmt: skip


@dataclass
class Guess:
    """One column as it may stand in a layout, and why."""

    name: str
    occurrence: int = 1
    position: int = 0
    type: str = "text"
    person: str = ""
    field: str = ""
    ignore: str = ""
    era_missing: bool = False
    short_year: bool = False
    digits: int = 0
    codes: list[str] = fresh(default_factory=list)
    is_record_number: bool = False
    is_filled: bool = False
    is_merged: bool = False
    is_ditto: bool = False
    is_zero_blank: bool = False
    """A count that leaves 0 blank, as people do who fill in a table by hand."""
    unknown: list[str] = fresh(default_factory=list)
    """What stands among numbers and is none."""
    has_no_year: bool = False
    """Days without their year: 4/9."""
    has_grades: bool = False
    """Ages, and now and then a grade instead: 9, 5年生."""
    when_blank: list[str] = fresh(default_factory=list)
    """Told only of rows that leave these columns blank."""
    begins_anew: bool = False
    """Counts from 1 again and again, never further than a class has pupils."""
    listed: int = 0
    """As many children at most stand in one cell (蓮、葵); 0: one."""
    sign: str = ""
    """What stands between them."""
    why: list[str] = fresh(default_factory=list)

    @property
    def reference(self) -> str:
        """How the layout refers to it."""
        return self.name if self.occurrence == 1 else f"{self.name}#{self.occurrence}"


def guess_columns(
    header: Sequence[str], body: Sequence[Sequence[str]], is_workbook: bool
) -> tuple[list[Guess], list[str]]:
    """Guess every column; returns them and the names of those that seem to hold 個人番号."""
    seen: Counter[str] = Counter()
    found: list[Guess] = []
    banned: list[str] = []
    births: dict[int, int] = {}
    has_names = any(header)
    columns = [[row[at] for row in body if at < len(row)] for at in range(len(header))]
    regular = without_strays(header, columns)
    for at, printed in enumerate(header):
        cells, is_shortened = regular[at]
        if not printed.strip() and not any(cell.strip() for cell in cells):
            continue
        name = printable(printed) if printed.strip() else f"列{at + 1}"
        seen[name] += 1
        watch = NumberWatch(printed)
        watch.look(set(columns[at]))
        if watch.holds_individual_numbers:
            banned.append(name)
        guess = _guess(name if printed.strip() else "", cells, is_workbook)
        guess.name, guess.occurrence = name, seen[name]
        if is_shortened and guess.type in ("code", "flag", "sex"):
            guess.why.append(STRAYS)
        guess.position = 0 if has_names and printed.strip() == name else at + 1
        if guess.field == "born_on" and (year := _middle_year(cells)):
            births[len(found)] = year
        found.append(guess)
    _share_out_roles(found, has_names, births)
    return found, banned


def _guess(header: str, cells: list[str], is_workbook: bool) -> Guess:
    said = words.meaning_of(header) if header else words.Meaning()
    is_code = (
        bool(header)
        and bool(words.CODE_WORD.search(words.plain(header)) or _MONTH.search(words.plain(header)))
        and said.field != "name"
    )
    listed, sign, cells = _several_in_a_cell(said, cells)
    kinds = kinds_of(cells, is_code and not said.ignore)
    guess = Guess(
        header, person=said.person, field=said.field, ignore=said.ignore, is_record_number=said.is_record_number,
        listed=listed, sign=sign,
    )  # fmt: skip
    guess.is_filled = bool(kinds.rows) and kinds.filled == kinds.rows
    names = kinds.share("name") + kinds.share("kana") + (kinds.share("unspaced") if kinds.distinct > MANY else 0)
    if said.is_bare and names < 0.5 and not listed:
        said, guess.person, guess.field = words.Meaning(), "", ""
    if (
        re.search(r"氏?名.*([フふ]りがな|フリガナ|[カか][ナな]|[ヨよ]み)", words.plain(header))
        and kinds.share("kana") < 0.5
        and kinds.filled
    ):
        # 氏名(ふりがな): a name with its reading in brackets, which one column of type name takes.
        said = words.Meaning(said.person, "name", "name")
        guess.field = "name"
        guess.why.append("氏名とよみが一つのセルに書かれている")
    if _says_otherwise(said, header, kinds, cells):
        said, guess.person, guess.field, guess.ignore = words.Meaning(), "", "", ""
        kinds = kinds_of(cells, True)
    if not (said.field or said.ignore or is_code) and _has_fixed_words(header, cells):
        kinds = kinds_of(cells, True)
        guess.why.append("決まった言葉だけが書かれている")
    guess.is_ditto = any(cell.strip() in DITTO_MARKS for cell in cells)
    guess.is_merged = _is_merged_downwards(header, cells)
    if _is_running(header, cells) and not said.field:
        guess.ignore, guess.is_record_number = RUNNING, False
        guess.begins_anew = _counts_classes(cells)
    if said.type:
        guess.why.append("見出しの言葉から")
    guess.has_no_year = not said.type and bool(_DAY_WORD.search(words.plain(header))) and _are_days(cells)
    if said.field == "school" and re.search("(コード|CD|番号)$", words.plain(header)):
        kinds = kinds_of(cells, True)
        guess.type = "code" if len(kinds.codes) == kinds.distinct else "text"
        said = words.Meaning(said.person or "subject", "school", guess.type)
    if (
        said.field == "name"
        and kinds.share("kana") >= 0.97
        and kinds.distinct > MANY
        and not CALL_NAME.search(words.plain(header))
    ):
        said, guess.field = words.Meaning(said.person, "name_kana", "kana"), "name_kana"
        guess.why.append("値がどれもカナなので、よみとみた")
    guess.type = said.type or ("date" if guess.has_no_year else _type_of_values(header, kinds, guess, is_workbook))
    _settle(guess, kinds, header, is_workbook)
    if guess.type in ("integer", "decimal", "date") and not guess.ignore:
        guess.unknown = _no_number(header, cells)  # of a day: 未受診, 接種せず
    guess.has_grades = guess.field == "age" and any(re.match(words.GRADE_IN_CELL, cell.strip()) for cell in cells)
    guess.is_zero_blank = guess.type == "integer" and not guess.field and _leaves_zero_blank(cells)
    if guess.field and not guess.person and guess.field != "school":
        guess.why.append("誰のことかは見出しに書かれていない")
    return guess


def _says_otherwise(said: words.Meaning, header: str, kinds: Kinds, cells: list[str]) -> bool:
    """Whether the values refute a column's name: 気になる様子 holds marks, 支援者(1-4) grades, 電話 whether somebody was reached."""
    if not kinds.filled:
        return False
    are_marks = kinds.share("flag") == 1.0 and kinds.distinct <= 2
    if said.field == "phone":
        return are_marks and kinds.lengths[1] <= 1
    if said.ignore and words.FINDING.search(words.plain(header).rsplit("/", 1)[-1]) and _are_few_words(cells):
        return True
    if said.ignore == words.NOTES:
        return are_marks and bool(
            re.search("有|様子|気にな|気づき", words.plain(header))
        )  # a few fixed sentences are notes all the same: whether they are wanted, a person says
    # 支援者 of a mother is who helps her: 夫, 実母, なし
    is_who_helps = "支援者" in words.plain(header) and _are_few_words(cells)
    is_graded = kinds.share("integer") == 1.0 and kinds.lengths[1] <= 2
    return said.ignore == words.OF_STAFF and (is_graded or is_who_helps)


_PERSON_OR_PLACE = re.compile("名|者|氏|人$|さん|先生|住|町|丁目|地区|方書|地域|集落|学校|園$|病院|機関|メモ$")


def _has_fixed_words(header: str, cells: list[str]) -> bool:
    """Whether a column with no name of a person or place holds a few words only, each many times: サービス, 世帯類型."""
    lowest = words.plain(header).rsplit("/", 1)[-1]
    return (
        bool(header)
        and not _PERSON_OR_PLACE.search(re.sub("サービス名|ワクチン名", "", lowest))
        and _are_few_words(cells)
    )


STRAYS = "隣の列の値らしい、ごく少ない値は書いていない(列のずれた行など。layout check が行番号を示す)"

BETWEEN_PEOPLE = {"name": "、；;／\n", "born_on": "、，,；;・\n"}
"""Signs that part several people's names, or their dates, in one cell; ・ and a comma stand inside of foreign names."""
MOST_IN_A_CELL = 12


def _several_in_a_cell(said: words.Meaning, cells: list[str]) -> tuple[int, str, list[str]]:
    """How many children at most a cell lists (対象児童 蓮、葵 beside their dates), by which sign; and the cells taken apart."""
    if said.person != "subject" or said.field not in BETWEEN_PEOPLE or said.ignore:
        return 0, "", cells
    filled = [cell.strip() for cell in cells if cell.strip()]
    for sign in BETWEEN_PEOPLE[said.field]:
        lists = [cell.split(sign) for cell in filled if sign in cell]
        if len(lists) < max(3, 0.05 * len(filled)) or not all(part.strip() for parts in lists for part in parts):
            continue
        parts = [part.strip() for one in lists for part in one]
        are_right = all(read_date(p).value for p in parts) if said.field == "born_on" else max(map(len, parts)) <= SHORT
        most = max(map(len, lists))
        if most <= MOST_IN_A_CELL and are_right:
            return most, sign, [part for cell in cells for part in cell.split(sign)]
    return 0, "", cells


def _leaves_zero_blank(cells: list[str]) -> bool:
    """Whether most cells are blank and hardly any says 0, where the others count 1, 2, 3 …: nobody forgets so often."""
    filled = [text for cell in cells if (text := unicodedata.normalize("NFKC", cell).strip())]
    zeros = sum(re.fullmatch(r"0(\.0)?", text) is not None for text in filled)
    return 5 <= len(filled) <= 0.5 * len(cells) and zeros <= 0.1 * len(filled)


def _no_number(header: str, cells: list[str]) -> list[str]:
    """What stands for no answer among numbers or days: a word or two (未, 欠測, 未受診), or 9 where answers run from 1 to 5 and none is 6 to 8."""
    counts = Counter(text for cell in cells if (text := unicodedata.normalize("NFKC", cell).strip()))
    said = sorted(text for text in counts if not re.search(r"\d", text) and text not in DITTO)
    if (
        said
        and len(said) <= 3
        and max(map(len, said)) <= 6
        and min(counts[t] for t in said) >= max(3, len(cells) / 200)
    ):
        return said  # rarer ones slipped in from another column
    values = set(counts) if re.match(r"(Q|問|質問|設問|項目)\d", words.plain(header)) else set()
    is_scale = bool(values) and values <= set("012345" + "9") and "9" in values and len(values & set("12345")) >= 3
    return ["9"] if is_scale and counts["9"] < 0.3 * sum(counts.values()) else []


_MONTH = re.compile(r"(^|/)(1[0-2]|[1-9])月(分)?$")
DITTO_MARKS = DITTO - {"々", '"', "''"}
"""Marks that no column uses for anything else."""


def _are_few_words(cells: list[str]) -> bool:
    """Whether findings are a few fixed words, each many times: nobody writes freely so."""
    counts = Counter(text for cell in cells if (text := unicodedata.normalize("NFKC", cell).strip()))
    return 1 <= len(counts) <= 12 and min(counts.values()) >= 5 and max(map(len, counts)) <= SHORT


_DAY_WORD = re.compile(r"(月日|日付|日にち|日)$")


def _are_days(cells: list[str]) -> bool:
    """Whether a column holds days, and some of them without their year."""
    filled = list({cell.strip() for cell in cells if cell.strip()})[:500]
    short = [text for text in filled if read_day_of_year(text)]
    return bool(short) and len(short) + sum(
        bool(read_date(text).value) for text in filled if text not in short
    ) >= 0.9 * len(filled)


_GROUP = re.compile(r"世帯|ケース(番号|NO)|クラス|学級|学年|^組$|歳児|^班$|地区|行政区|世帯主|学校|^園")


def _is_merged_downwards(header: str, cells: list[str]) -> bool:
    """Whether a group's word stands in the first of its rows only, as in cells merged downwards."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    is_group = bool(cells and cells[0].strip()) and bool(_GROUP.search(words.plain(header)))
    return is_group and len(filled) * 2 <= len(cells) and len(set(filled)) * 2 > len(filled)


MANY = 30
"""So many different words under 保護者 or 児童 are people's names, not kinds of people."""
BESIDE_NAME = "氏名のそばにある日付"
RUNNING = "1 から順の通し番号。ファイルごとに振り直されるので、記録を見分けるのに使えない"


def _is_running(header: str, cells: list[str]) -> bool:
    """Whether a column only counts the rows of its file: 1, 2, 3 …"""
    filled = [unicodedata.normalize("NFKC", cell).strip() for cell in cells if cell.strip()]
    if len(filled) < 5 or not all(text.isdecimal() for text in filled):
        return False
    numbers = [int(text) for text in filled]
    steps = sum(after == before + 1 for before, after in pairwise(numbers))
    # each sheet may begin anew, and a row copied in twice has its number twice
    is_bare = bool(words.BARE_NUMBER.match(words.plain(header)))
    anew = sum(after == 1 != before for before, after in pairwise(numbers)) if is_bare else 0
    return numbers[0] == 1 and steps >= 4 * anew and steps + anew >= 0.97 * (len(numbers) - 1)


MOST_IN_A_CLASS = 60


def _counts_classes(cells: list[str]) -> bool:
    numbers = [int(text) for cell in cells if (text := unicodedata.normalize("NFKC", cell).strip())]
    classes, most = numbers.count(1), max(numbers)
    return (classes >= 3 and most <= MOST_IN_A_CLASS) or (classes >= 10 and most < 100)


def _type_of_values(header: str, kinds: Kinds, guess: Guess, is_workbook: bool) -> str:
    """The kind of a column whose name doesn't settle it."""
    name = words.plain(header)
    lowest = name.rsplit("/", 1)[-1]
    is_date_word, is_count = bool(words.DATE_WORD.search(lowest)), lowest.endswith(("数", "点", "回", "率", "番"))
    if not kinds.filled:
        guess.why.append("値が一つもない")
        return "date" if is_date_word and not is_count else "text"
    if re.search(r"(コード|番号|CD|ID)$", lowest):
        return _type_of_rest(name, kinds, guess, is_count)
    six = kinds.notations["six"] / max(kinds.distinct, 1)
    if kinds.share("year") >= 0.9 and words.YEAR_WORD.search(name):
        guess.why.append("年度が書かれている")
        return "fiscal_year"
    if kinds.share("date") - min(six, kinds.share("date")) >= 0.8 or (six >= 0.9 and is_date_word):
        return "date"
    if kinds.share("month") >= 0.8 and (words.MONTH_WORD.search(lowest) or kinds.notations["month_words"]):
        return "month"
    if is_date_word and not is_count and kinds.share("date") >= 0.5:
        return "date"
    if is_workbook and is_date_word and not is_count and kinds.lengths == (5, 5):
        kinds.notations["serial"] = kinds.distinct
        return "date"
    return _type_of_rest(name, kinds, guess, is_count)


def _type_of_rest(name: str, kinds: Kinds, guess: Guess, is_count: bool) -> str:
    is_code_word = bool(words.CODE_WORD.search(name))
    is_marked = bool(_MONTH.search(name)) and bool(kinds.codes) and len(kinds.codes) == kinds.distinct
    is_few = kinds.distinct <= 30 and kinds.filled >= kinds.distinct * 2
    is_graded = "◎" in kinds.codes and kinds.distinct > 1 and "○" in kinds.codes  # two marks of yes are two grades
    if (
        kinds.share("flag") >= 0.95
        and kinds.distinct <= 3
        and not is_graded
        and not is_count
        and kinds.share("integer") < 0.95
    ):
        guess.why.append("有無の印が書かれている")
        return "flag"
    if kinds.digits_only in ({"1"}, {"0", "1"}) and words.IS_OR_NOT.search(name) and not is_count:
        guess.why.append("0 と 1 だけ")
        return "flag"
    if is_count and kinds.share("integer") >= 0.9 and not kinds.leading_zeros:
        guess.why.append("整数が書かれている")
        return "integer"
    if (is_code_word or (is_marked and kinds.share("integer") < 0.5)) and is_few:
        guess.why.append(f"値が {kinds.distinct} とおりしかない")
        return "code"
    if kinds.share("decimal") > 0.05 and kinds.share("decimal") + kinds.share("integer") >= 0.9:
        guess.why.append("小数が書かれている")
        return "decimal"
    if kinds.share("integer") >= 0.9 and not kinds.leading_zeros and (kinds.lengths[1] < 7 or is_count):
        guess.why.append("整数が書かれている")
        return "integer"
    for kind, least in (("kana", 0.9), ("name", 0.6), ("address", 0.6)):
        if kinds.share(kind) >= least and not name and not is_few:
            guess.why.append(
                f"値の {kinds.share(kind):.0%} が{ {'kana': 'カナ', 'name': '氏名', 'address': '住所'}[kind] }らしい"
            )
            return kind
    if kinds.share("alnum") >= 0.9 and kinds.distinct > 30 and not is_code_word:
        guess.why.append("番号らしい字の並びで、値がまちまち")
        guess.is_record_number = True
        return "identifier"
    if not name and kinds.share("sex") == 1.0 and kinds.distinct == 2:
        guess.why.append("男女か 1・2 だけ")
        return "sex"
    if is_few and kinds.codes and len(kinds.codes) == kinds.distinct:
        guess.why.append(f"値が {kinds.distinct} とおりしかない")
        return "code"
    return "text"


def _settle(guess: Guess, kinds: Kinds, header: str, is_workbook: bool) -> None:
    """What follows from the kind: eras, lost zeros, codes; and fields that only the values tell."""
    if guess.type in ("date", "month"):
        named = [NOTATIONS[n] for n, _ in kinds.notations.most_common(3)]
        if named:
            guess.why.append("書き方は " + "、".join(named))
        guess.era_missing = kinds.notations["six"] > kinds.distinct * 0.3 and guess.type == "date"
        guess.short_year = kinds.notations["short_year"] > kinds.distinct * 0.3
        if is_workbook and kinds.lengths == (5, 5) and not kinds.notations:
            guess.why.append("書き方は 表計算ソフトの通し番号")
    if guess.type == "identifier" and kinds.lengths[1]:
        low, high = kinds.lengths
        guess.why.append(f"{low} 桁" if low == high else f"{low} から {high} 桁")
        if kinds.leading_zeros:
            guess.why.append("先頭が 0 のものがある")
        elif low != high and high >= 6 and guess.field in ("resident_number", "household_number"):
            guess.digits = high
            guess.why.append("先頭の 0 が落ちているかもしれない")
    if guess.type in ("code", "flag", "sex"):
        guess.codes = kinds.codes
        if guess.type == "flag" and kinds.share("flag") < 0.95 and kinds.filled:
            guess.type = "code" if kinds.codes else "text"
        if guess.type == "sex" and kinds.share("sex") < 0.9 and kinds.filled:
            guess.why.append("男女として読めない値がある")
        if guess.type == "code" and not kinds.codes:
            guess.type = "text"
    if guess.field == "grade" and kinds.share("integer") < 0.9 and kinds.filled:
        guess.type = "text"
    if not header:
        guess.field = {"name": "name", "kana": "name_kana", "address": "address", "sex": "sex"}.get(guess.type, "")


GENERATION = 14
"""Years between a parent's birth and a child's, at least."""


CALL_NAME = re.compile("(よび|呼び?)(名|な)|愛称|ニックネーム|あだ名")


def _where_the_small_go(columns: list[Guess]) -> None:
    """施設 beside 園児, 登園 or 認定区分 is the nursery; elsewhere it may be any place."""
    about = "".join(words.plain(c.name) for c in columns)
    if any(c.field == "school" for c in columns) or not re.search("園児|登園|降園|支給認定|歳児|お迎え|保育", about):
        return
    for column in columns:
        if (
            not column.field
            and not column.ignore
            and re.fullmatch("(保育|利用|在籍|入所)?施設(名|名称)?", words.plain(column.name))
        ):
            column.field, column.type, column.codes, column.person = "school", "text", [], "subject"
            column.why.append("園児の記録なので、通う園とみた")


def _where_the_called_live(columns: list[Guess]) -> None:
    """地区 in a list of call names: of whom nothing but a call name and an age is known, the town they live in tells who."""
    if not any(c.field == "name" and CALL_NAME.search(words.plain(c.name)) for c in columns):
        return
    for column in columns:
        if (
            not column.field
            and not column.ignore
            and re.fullmatch("お?(地区|町|町内|地域)(名)?", words.plain(column.name))
        ):
            column.field, column.type, column.codes = "address", "address", []
            column.why.append("呼び名の名簿なので、住んでいる町とみた")


def _share_out_roles(columns: list[Guess], has_names: bool, births: dict[int, int]) -> None:
    """Whose the columns are whose names don't say: the row's own person's, unless another column already is the child's.

    宛名番号, 氏名, 児童宛名番号, 氏名: what stands before the child's number is the recipient's.
    """
    _settle_moves(columns)
    _year_of_class(columns)
    _where_the_called_live(columns)
    _where_the_small_go(columns)
    _set_apart_the_other(columns)
    _mothers_record(columns)
    _part_by_births(columns, births)
    about = [c for c in columns if c.field and not c.ignore]
    named = {c.person for c in about if c.person}
    childs = {c.field for c in about if c.person == "subject"}
    twice = {field for field, count in Counter(c.field for c in about if not c.person).items() if count > 1}
    current, before = "", None
    for column in columns:
        if column.ignore or not column.field:
            continue
        if column.person:
            current = column.person
        elif "との続柄" in words.plain(column.name):
            column.person = "guardian"
        elif (
            column.field == "relationship"
            and before is not None
            and (before.person, before.field) == ("guardian", "name")
        ):
            column.person = "guardian"
            column.why.append("すぐ左の保護者の続柄とみた")
        elif column.field in childs or (column.field in twice and childs and column.field in ("name", "name_kana")):
            column.person = current = current or "guardian"
            column.why.append(
                "同じものがこどもにもあるので、保護者とみた" if current == "guardian" else "左の列と同じ人とみた"
            )
        elif column.field == "name_kana" and before is not None and before.field == "name" and before.person:
            column.person = before.person
            column.why.append("すぐ左の氏名のよみとみた")
        else:
            column.person = "holder" if named == {"holder"} else "subject"
        before = column
    _leave_out_second_names(columns)
    _leave_out_codes_beside_words(columns)
    _leave_out_other_ones(columns)
    if not has_names:
        _born_on_by_values(columns)


_NAME_PARTS = re.compile(r"([氏姓名]|[セメ]イ|[せめ]い|苗字|名字|氏カナ|名カナ|姓カナ)\)?$")


_FOREIGN_WRITING = re.compile(r"外国人|ローマ字|英字|アルファベット|欧文|^本名")
"""The standard register of residents prints foreign residents' names in columns of their own and leaves 氏名 blank."""


def _leave_out_second_names(columns: list[Guess]) -> None:
    """Two whole names of one person aren't parts of one name: the second is somebody else's, or another writing.

    A foreign resident's name beside 氏名 is the name of those who have no other.
    """
    first: dict[tuple[str, str], Guess] = {}
    instead: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        if column.ignore or column.field not in ("name", "name_kana", "address") or not column.person:
            continue
        name = words.plain(column.name)
        is_whole = (
            re.search(r"氏名|名前|住所|居所", name) if column.field != "name_kana" else not _NAME_PARTS.search(name)
        )
        key = (column.person, column.field)
        if is_whole and key in first and column.field == "name" and _FOREIGN_WRITING.search(name):
            column.when_blank = [first[key].reference, *instead.get(key, [])]
            instead.setdefault(key, []).append(column.reference)
        elif is_whole and key in first and not re.search(r"[1-9一二三四五六①-⑨]", name):
            column.ignore = (
                f"「{first[key].name}」と同じ人の同じもの。続きとしてつながないように外した。別の人なら person を書く"
            )
            column.person = column.field = ""
        elif is_whole:
            first[key] = column


def _leave_out_codes_beside_words(columns: list[Guess]) -> None:
    """続柄コード beside 続柄 says the same again, as 異動事由CD beside 異動事由; joined they would be neither."""
    for field, caption in (("relationship", "続柄"), ("event_kind", "異動事由"), ("school", "学校")):
        related = [c for c in columns if c.field == field and not c.ignore]
        coded = [c for c in related if re.search(r"(コード|CD|区分)$", words.plain(c.name))]
        for column in coded if len(coded) < len(related) else ():
            column.ignore, column.person, column.field = f"言葉で書かれた{caption}で足りる", "", ""


_OTHER_SCHOOL = re.compile("^相手|転出先|転入元|転学[先元]|^前の?(在籍|籍)|^前籍|進学先|^出身")


def _leave_out_other_ones(columns: list[Guess]) -> None:
    """Two schools or numbers of one person aren't parts of one: joined they would be neither."""
    first: dict[tuple[str, str], Guess] = {}
    for column in columns:
        if (
            column.ignore
            or column.field not in ("school", "own_number")
            or re.search(r"枝番|[1-9]", words.plain(column.name))
        ):
            continue
        before = first.setdefault((column.person, column.field), column)
        is_other = _OTHER_SCHOOL.search(words.plain(column.name)) if column.field == "school" else before is not column
        if is_other:
            column.ignore = (
                "いまの学校ではない"
                if column.field == "school"
                else f"「{before.name}」のほかの番号。続きとしてつながないように外した"
            )
            column.person = column.field = ""


def _part_by_births(columns: list[Guess], births: dict[int, int]) -> None:
    """氏名, 生年月日 printed twice, of people a generation apart: the elder is the guardian, the younger the child.

    ``births`` gives by a column's place the middle year of the birth dates in it.
    """
    plain = [at for at in births if not columns[at].person and not columns[at].ignore]
    if len(plain) != 2 or abs(births[plain[0]] - births[plain[1]]) < GENERATION:
        return
    child = max(plain, key=lambda at: births[at])
    names = [at for at, c in enumerate(columns) if c.field == "name" and not c.person and not c.ignore]
    if len(names) != 2 or not names[0] < plain[0] < names[1] < plain[1]:
        return
    for at, column in enumerate(columns):
        if column.field and not column.person and not column.ignore and at >= names[0]:
            column.person = "subject" if (at >= names[1]) == (child == plain[1]) else "guardian"
            column.why.append(
                "生年月日が一世代離れた二人のうち、" + ("若いほう" if column.person == "subject" else "年長のほう")
            )


ASKED_OF_MOTHERS = re.compile("EPDS|エジンバラ|産後うつ|ボンディング|赤ちゃんへの気持ち")
"""Questionnaires that a mother answers about herself, whoever is named first."""


def _mothers_record(columns: list[Guess]) -> None:
    """Of a pregnancy's record, or of what a mother was asked after a birth, the woman is the row's person, whether or not the child is named."""
    named = {c.person for c in columns if c.field == "name" and not c.ignore}
    women = [c for c in columns if c.field == "name" and not c.ignore and re.search("妊婦|産婦", words.plain(c.name))]
    if named == {"subject"} and women == [c for c in columns if c.field == "name" and not c.ignore]:
        _only_the_womans(columns)
    if named == {"mother", "subject"}:
        is_hers = any(
            c.person == "mother" and c.field == "name" and re.search("産婦|妊婦", words.plain(c.name)) for c in columns
        )
        is_asked = any(ASKED_OF_MOTHERS.search(words.plain(c.name)) for c in columns)
        if is_asked and not is_hers:
            _leave_open_whose_number(columns)
        if is_asked or is_hers:
            _child_beside_the_mother(columns)
    if named == {"mother"}:
        # Nobody but the mother is named: whatever the row tells is hers, but for the child's own birth and sex.
        for column in columns:
            if column.person == "subject" and column.field == "born_on":
                column.field = "child_born_on"
                column.why.append("母の記録なので、生まれた子の生年月日とみた")
            elif column.person == "subject" and column.field == "sex":
                column.person = column.field = ""
                column.ignore = "母の記録に添えられた子の性別。子とのつながりは住民記録から得る"
            column.person = "subject" if column.person == "mother" else column.person
    about = "".join(words.plain(c.name) for c in columns)
    own = [c for c in columns if c.field == "name" and not c.person and not c.ignore]
    if own or named == {"mother"}:
        for column in columns:
            if (
                re.fullmatch("(出産|分娩)(年月)?日", words.plain(column.name))
                and column.type == "date"
                and not column.field
            ):
                column.field, column.person = "child_born_on", "subject"
                column.why.append("母の記録なので、生まれた子の生年月日とみた")
    if own and re.search(r"妊娠|妊婦|産婦|分娩|出産", about):
        for column in columns:
            is_childs = re.search("^児|^子|こども|お子", words.plain(column.name).rsplit("/", 1)[-1])
            if column.person == "subject" and column.field in ("name", "name_kana") and is_childs and not column.ignore:
                column.person = column.field = ""
                column.ignore = "母の記録に添えられた子の名。子とのつながりは住民記録から得る"


def _only_the_womans(columns: list[Guess]) -> None:
    """妊婦氏名, 児性別: what is told of a child not yet born, or just born, is not the woman's."""
    for column in columns:
        if (
            column.type == "date"
            and re.fullmatch("(出産|分娩)(年月)?日", words.plain(column.name))
            and not column.field
        ):
            column.field, column.person = "child_born_on", "subject"
            column.why.append("母の記録なので、生まれた子の生年月日とみた")
        if not re.match("児|子(?!宮)|お子|出生児|新生児", words.plain(column.name).rsplit("/", 1)[-1]):
            continue
        if column.field == "born_on":
            column.field = "child_born_on"
            column.why.append("母の記録なので、生まれた子の生年月日とみた")
        elif column.field and not column.ignore:
            column.person = column.field = ""
            column.ignore = "母の記録に添えられた子のこと。子とのつながりは住民記録から得る"


def _leave_open_whose_number(columns: list[Guess]) -> None:
    """A number beside 母氏名 and 児氏名 may be the child's: taken for the mother's it would put the child's records on her."""
    for column in columns:
        if column.field == "own_number" and column.person in ("", "subject"):
            column.field = column.person = ""
            column.why.append("母と子のどちらの番号か分からないので、行の番号としてだけ使う")


def _child_beside_the_mother(columns: list[Guess]) -> None:
    """産婦氏名, 児氏名: what was asked is the mother's, and the child may not have a name yet."""
    for column in columns:
        if column.person == "subject" and column.field in ("name", "name_kana"):
            column.person = column.field = ""
            column.ignore = "母の記録に添えられた子の名。子とのつながりは住民記録から得る"
        elif column.person == "subject" and column.field == "born_on":
            column.field = "child_born_on"
            column.why.append("母の記録なので、生まれた子の生年月日とみた")
        elif column.person == "mother":
            column.person = "subject"


def _middle_year(cells: Sequence[str]) -> int:
    """The middle one of the years in which dates lie; 0 where hardly any is a date."""
    years = sorted(int(value[:4]) for cell in cells[:500] if cell.strip() and (value := read_date(cell).value))
    return years[len(years) // 2] if len(years) >= 3 else 0


CLASS_WORD = re.compile(r"^(組|学級|クラス)(名|番号)?$")
SEAT_WORD = re.compile(r"^(番|番号|出席番号|席次?番号?|名簿番号)$")


def _year_of_class(columns: list[Guess]) -> None:
    """年 beside 組 or 番 is the year at school."""
    names = {words.plain(c.name) for c in columns}
    for column in columns:
        if words.plain(column.name) == "年" and names & {"組", "番", "出席番号"} and column.type in ("integer", "code"):
            column.field, column.type, column.codes = "grade", "integer", []
            column.why.append("組や番の隣にあるので、学年とみた")
    if not any(c.field == "grade" and not c.ignore for c in columns):
        return
    for column in columns:
        name = words.plain(column.name).rsplit("/", 1)[-1]
        field = "class_name" if CLASS_WORD.search(name) else "seat" if SEAT_WORD.search(name) else ""
        if field == "seat" and not (names & {"組", "学級"} or re.search("組|学級", "".join(names))):
            continue
        if field and not column.field and (column.ignore != RUNNING or column.begins_anew):
            column.field, column.type, column.codes, column.ignore = field, "text", [], ""
            column.why.append("学年のある記録なので、組の中の誰かを知る手がかりとみた")


def _settle_moves(columns: list[Guess]) -> None:
    """Beside an 異動日, a 届出日 is the day on which the move was registered."""
    if any(c.field == "event_on" for c in columns):
        for column in columns:
            if words.plain(column.name) in ("届出日", "届出年月日"):
                column.field, column.type = "registered_on", "date"


def _set_apart_the_other(columns: list[Guess]) -> None:
    """児の宛名番号 in a mother's record names another person, of whom the row says nothing else."""
    childs = [c for c in columns if c.person == "subject" and not c.ignore and c.field]
    own_names = [c for c in columns if c.field == "name" and not c.person and not c.ignore]
    if len(childs) == 1 and own_names and "の" in childs[0].name and childs[0].type == "identifier":
        childs[0].field = childs[0].person = ""
        childs[0].ignore = "ほかの人の番号。この行の人との関係は住民記録などから得る"


def _born_on_by_values(columns: list[Guess]) -> None:
    """Without names, the date beside a name is taken for the birth date."""
    names = [at for at, c in enumerate(columns) if c.field in ("name", "name_kana", "sex")]
    dates = [at for at, c in enumerate(columns) if c.type == "date"]
    if names and dates:
        nearest = min(dates, key=lambda at: min(abs(at - n) for n in names))
        columns[nearest].field, columns[nearest].person = "born_on", "subject"
        columns[nearest].why.append(BESIDE_NAME)
