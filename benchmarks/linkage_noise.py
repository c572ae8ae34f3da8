"""A town's resident register and two registers of its children, written down as badly as offices do.

A test of linkage that shares nothing with ひなた市: other names (a public name list), other addresses,
other notations and mistakes. The rates are those observed between municipal systems: 戸籍-like forms
where the surname has one, half-width kana and era dates in the register (A1: health and welfare,
A2: school), readings missing, names without a space, surnames of the other parent, children who have
moved or never lived here, twins, foreign households, two rows for one child. Its tables of variants
are its own; nothing is taken from the normaliser.

    from linkage_noise import make_town
    town = make_town(residents=113_000, children=20_080, seed=1)

Every row is what would stand in a CSV file: text, nothing parsed. Row numbers count from 1.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

TODAY = dt.date(2026, 4, 1)

PREFECTURE, CITY = "水城県", "汐見市"

TOWNS = (
    "磯ケ谷", "上之庄", "鵜飼町", "江ノ原", "大字北条", "柏台", "霞ヶ浜", "旭ヶ丘", "金井", "楠本町", "小手指", "桜木町", "潮路", "城之内",
    "神明", "菅田", "千本松", "曽根", "高砂", "田の浦", "千草台", "津久野", "鶴巻", "堂ヶ島", "中之郷", "鳴瀬", "西の宮", "沼田新田", "野々市",
    "浜崎", "東雲", "日吉", "藤ヶ尾", "船津", "干潟", "本郷", "松葉", "緑が丘", "南茅野", "宮前", "美里", "向山", "元町", "八幡台", "柳瀬",
    "弓ヶ浜", "吉野", "若葉", "渡瀬", "四ツ谷",
)  # fmt: skip
FAR_TOWNS = ("遠見市青葉町", "遠見市川端", "波崎町小浜", "波崎町字中道", "隣県白根市一本木")
CHOME = (
    "旭ヶ丘",
    "柏台",
    "桜木町",
    "千草台",
    "緑が丘",
    "本郷",
    "若葉",
    "日吉",
    "高砂",
    "元町",
    "神明",
    "潮路",
    "美里",
    "松葉",
)
BUILDINGS = (
    "コーポ汐風",
    "メゾン・ド・ミサキ",
    "第二若葉荘",
    "ハイツ海",
    "県営住宅3棟",
    "サンライズ",
    "グランドパレス汐見",
)

OLD_FORMS = {
    "高": "髙", "崎": "﨑", "辺": "邊邉", "斎": "齋", "斉": "齊", "浜": "濱濵", "吉": "𠮷", "柳": "栁", "島": "嶋嶌", "富": "冨", "広": "廣",
    "沢": "澤", "国": "國", "瀬": "瀨", "桑": "桒", "恵": "惠", "桜": "櫻", "竜": "龍", "栄": "榮", "寿": "壽", "弥": "彌", "条": "條", "黒": "黑",
    "曽": "曾", "館": "舘", "与": "與", "関": "關", "滝": "瀧", "塚": "塚", "徳": "德", "真": "眞", "蔵": "藏", "浅": "淺", "梅": "梅", "檜": "桧",
    "峰": "峯", "船": "舩", "葛": "葛", "増": "增", "豊": "豐", "来": "來", "礼": "禮", "万": "萬", "円": "圓", "学": "學", "亀": "龜",
}  # fmt: skip
"""Surname characters with a form 戸籍 keeps and everyday systems don't."""

OUTSIDE_JIS = set("髙﨑邊邉齋齊濵𠮷栁嶌瀨桒黑德增塚梅葛")
"""Forms a school system of the nineties can't hold."""

FOREIGN = (
    ("SILVA", "シルバ"), ("NGUYEN", "グエン"), ("SANTOS", "サントス"), ("PEREIRA", "ペレイラ"), ("TRAN", "チャン"), ("KIM", "キム"),
    ("DELA CRUZ", "デラクルス"), ("RAI", "ライ"), ("WANG", "ワン"), ("OLIVEIRA", "オリベイラ"), ("GURUNG", "グルン"), ("YAMADA", "ヤマダ"),
)  # fmt: skip
FOREIGN_GIVEN = (
    ("MARIA CLARA", "マリアクララ"), ("LUCAS", "ルカス"), ("VAN ANH", "ヴァンアイン"), ("JOSE", "ホセ"), ("MIN JUN", "ミンジュン"), ("ANNA", "アンナ"),
    ("GABRIEL", "ガブリエル"), ("SUJAN", "スジャン"), ("LAURA", "ラウラ"), ("XIN YI", "シンイー"), ("JOHN PAUL", "ジョンポール"), ("THAO", "タオ"),
)  # fmt: skip

REGISTER_COLUMNS = ("宛名番号", "世帯番号", "続柄", "氏名", "カナ", "生年月日", "性別", "住所", "住民となった日")
HEALTH_COLUMNS = ("整理番号", "氏名", "フリガナ", "生年月日", "性別", "住所")
SCHOOL_COLUMNS = ("学籍番号", "児童生徒名", "ふりがな", "生年月日", "性別", "住所")


@dataclass
class Person:
    """Somebody as they are: everyday characters, the reading in katakana with small letters."""

    number: int
    surname: str
    surname_kana: str
    given: str
    given_kana: str
    born: dt.date
    sex: str
    town: str
    block: tuple[int, ...]
    building: str
    household: int
    relation: str
    old_surname: str = ""
    other_surname: tuple[str, str] = ("", "")
    latin: str = ""
    is_twin: bool = False

    @property
    def is_foreign(self) -> bool:
        """Whether the register holds the name in Latin letters."""
        return bool(self.latin)


@dataclass
class Town:
    """The three extracts as rows of text, and who each row is about."""

    people: list[Person]
    register: list[tuple[str, ...]] = field(default_factory=list)
    health: list[tuple[str, ...]] = field(default_factory=list)
    school: list[tuple[str, ...]] = field(default_factory=list)
    truth: dict[tuple[str, int], int] = field(default_factory=dict)


class Names:
    """Names with how common they are: surnames as counted in Japan, given names by a falling curve."""

    def __init__(self, rng: random.Random) -> None:
        self.surnames: list[tuple[str, str]] = []
        weights = []
        for written, count, kana, *_ in _rows("last_name_org.csv"):
            self.surnames.append((written, katakana(kana)))
            weights.append(float(count))
        self.surname_weights = _running(weights)
        self.given = {sex: self._given(rng, name) for sex, name in (("M", "man"), ("F", "woman"))}
        self.readings: dict[str, list[str]] = {}
        for table, _ in self.given.values():
            for written, kana in table:
                self.readings.setdefault(kana, []).append(written)

    def _given(self, rng: random.Random, name: str) -> tuple[list[tuple[str, str]], list[float]]:
        kanas = list(_rows(f"first_name_{name}_opti.csv"))
        rng.shuffle(kanas)
        table, weights = [], []
        for place, (kana, _, *written) in enumerate(kanas):
            chosen = rng.sample(written, min(len(written), 12))
            for rank, text in enumerate([*chosen, kana]):
                table.append((text, katakana(kana)))
                weights.append(1 / (place + 8) ** 0.8 / (rank + 1.5))
        return table, _running(weights)

    def surname(self, rng: random.Random) -> tuple[str, str]:
        """One surname and its reading."""
        return rng.choices(self.surnames, cum_weights=self.surname_weights)[0]

    def given_name(self, rng: random.Random, sex: str) -> tuple[str, str]:
        """One given name and its reading."""
        table, weights = self.given[sex]
        return rng.choices(table, cum_weights=weights)[0]


def make_town(*, residents: int, children: int, seed: int) -> Town:
    """A register of ``residents`` and two registers of ``children`` rows each, 3 % of them not residents."""
    rng = random.Random(seed)  # noqa: S311  (a test town, not a secret)
    names = Names(rng)
    people = _population(rng, names, residents)
    town = Town(people)
    for person in rng.sample(people, len(people)):
        town.truth["register", len(town.register) + 1] = person.number
        town.register.append(_register_row(rng, person))
    young = [p for p in people if p.born > TODAY.replace(year=TODAY.year - 19)]
    if len(young) < children:
        young = people  # as many rows as residents: all ages are meant
    for source, write in (("health", _health_row), ("school", _school_row)):
        rows: list[tuple[str, ...]] = getattr(town, source)
        for person in _listed(rng, names, young, children):
            number = f"{'K' if source == 'health' else ''}{len(rows) + 1:07}"
            rows.append(write(rng, names, person, number))
            town.truth[source, len(rows)] = person.number
    return town


def _population(rng: random.Random, names: Names, residents: int) -> list[Person]:
    people: list[Person] = []
    household = 0
    while len(people) < residents:
        household += 1
        people.extend(_household(rng, names, household, len(people)))
    return people[:residents]


def _household(rng: random.Random, names: Names, household: int, first: int) -> list[Person]:
    foreign = rng.random() < 0.012
    latin, surname_kana = rng.choice(FOREIGN) if foreign else ("", "")
    surname, kana = (surname_kana, surname_kana) if foreign else names.surname(rng)
    place = _place(rng)
    old = _old_form(rng, surname) if rng.random() < 0.22 else ""
    found: list[Person] = []

    def add(born: dt.date, sex: str, relation: str, given: tuple[str, str] | None = None, **more: Any) -> Person:
        text, reading = given or (names.given_name(rng, sex) if not foreign else ("", ""))
        letters = ""
        if foreign:
            letters, reading = rng.choice(FOREIGN_GIVEN)
            text = reading
        person = Person(
            first + len(found),
            surname,
            kana,
            text,
            reading,
            born,
            sex,
            *place,
            household,
            relation,
            old,
            latin=f"{latin} {letters}" if foreign else "",
            **more,
        )
        found.append(person)
        return person

    kind = rng.random()
    if kind < 0.30:
        add(_born(rng, 19, 95), rng.choice("MF"), "世帯主")
    elif kind < 0.52:
        age = rng.randrange(30, 92)
        add(_born(rng, age, age + 1), "M", "世帯主")
        add(_born(rng, max(age - 4, 20), age + 3), "F", "妻")
    else:
        parent = rng.randrange(24, 52)
        is_single = rng.random() < 0.14
        if not is_single:
            add(_born(rng, parent, parent + 4), "M", "世帯主")
        add(_born(rng, parent, parent + 2), "F", "世帯主" if is_single else "妻")
        other = names.surname(rng) if rng.random() < 0.3 else ("", "")
        for _ in range(rng.choices((1, 2, 3, 4), (38, 42, 16, 4))[0]):
            born = _born(rng, max(parent - 38, 0), max(min(parent - 19, 22), 1))
            sex = rng.choice("MF")
            child = add(born, sex, "子", other_surname=other)
            if rng.random() < 0.01:
                _add_twin(rng, names, child, add, foreign)
    return found


def _add_twin(rng: random.Random, names: Names, child: Person, add: object, foreign: bool) -> None:
    sex = child.sex if rng.random() < 0.65 else rng.choice("MF")
    given = names.given_name(rng, sex)
    if rng.random() < 0.45 and not foreign:
        # 陽太 and 陽菜: the first character shared, so is the beginning of the reading
        for _ in range(200):
            tried = names.given_name(rng, sex)
            if tried[0][0] == child.given[0] and tried[0] != child.given and tried[1][:1] == child.given_kana[:1]:
                given = tried
                break
    twin = add(child.born, sex, "子", given, other_surname=child.other_surname)  # type: ignore[operator]
    child.is_twin = twin.is_twin = True


def _listed(rng: random.Random, names: Names, young: list[Person], children: int) -> list[Person]:
    """Which children one office knows, in its own order: some it shouldn't, some twice."""
    strangers, twice = round(children * 0.03), round(children * 0.004)
    known = rng.sample(young, children - strangers - twice)
    for place in range(strangers):
        person = _household(rng, names, 10_000_000 + place, 0)[-1]
        person.number = -rng.randrange(1, 1 << 40)  # of nobody's register; never the same in the other office
        if person.born < TODAY.replace(year=TODAY.year - 19):
            person.born = _born(rng, 0, 19)
        person.town, person.is_twin = rng.choice(FAR_TOWNS), False
        known.append(person)
    known.extend(rng.sample(known, twice))
    rng.shuffle(known)
    return known


# ---- how a place, a name and a date are written ----


def _place(rng: random.Random) -> tuple[str, tuple[int, ...], str]:
    town = rng.choice(TOWNS)
    block: tuple[int, ...] = (rng.randrange(1, 40), rng.randrange(1, 25))
    if town in CHOME:
        block = (rng.randrange(1, 7), *block)
    building = f"{rng.choice(BUILDINGS)}{rng.randrange(1, 9)}0{rng.randrange(1, 9)}" if rng.random() < 0.35 else ""
    return town, block, building


def _born(rng: random.Random, youngest: int, oldest: int) -> dt.date:
    return TODAY - dt.timedelta(days=rng.randrange(youngest * 365 + 1, max(oldest, youngest + 1) * 365 + 1))


def _old_form(rng: random.Random, surname: str) -> str:
    return "".join(rng.choice(OLD_FORMS[c]) if c in OLD_FORMS else c for c in surname)


def _register_row(rng: random.Random, person: Person) -> tuple[str, ...]:
    surname = person.old_surname or person.surname
    name = person.latin if person.is_foreign else f"{surname}　{person.given}"
    since = max(person.born, TODAY - dt.timedelta(days=rng.randrange(30, 9000)))
    return (
        f"{20_000_000 + person.number * 7:010}", f"{500_000 + person.household:08}", person.relation, name,
        half_width(large(f"{person.surname_kana} {person.given_kana}")), era_code(person.born), {"M": "1", "F": "2"}[person.sex],
        f"{person.town}{_zones(person.block)}{'　' + person.building if person.building else ''}", era_code(since),
    )  # fmt: skip


def _health_row(rng: random.Random, names: Names, person: Person, number: str) -> tuple[str, ...]:
    surname, surname_kana = _called(rng, person, 0.02)
    given, given_kana = _miswritten(rng, names, person)
    name = f"{surname}{rng.choice(('　', '　', ' '))}{given}"
    kana = f"{surname_kana} {given_kana}"
    if person.is_foreign:
        name = kana = rng.choice(
            (f"{person.given_kana} {person.surname_kana}", f"{person.surname_kana}・{person.given_kana}")
        )
    if rng.random() < 0.22:
        kana = ""
    town, block, building = _place(rng) if rng.random() < 0.05 else (person.town, person.block, person.building)
    return (
        number, _unprintable(rng, name, 0.05), _misread(rng, kana), era_words(rng, _misdated(rng, person.born)),
        {"M": "男", "F": "女"}[person.sex], _address(rng, town, block, building),
    )  # fmt: skip


def _school_row(rng: random.Random, names: Names, person: Person, number: str) -> tuple[str, ...]:
    surname, surname_kana = _called(rng, person, 0.035)
    given, given_kana = _miswritten(rng, names, person)
    between = "" if rng.random() < 0.07 else rng.choice(("　", " "))
    name = f"{surname}{between}{given}"
    kana = hiragana(f"{surname_kana}{between or ' '}{given_kana}")
    if person.is_foreign:
        name = rng.choice(
            (
                person.latin.title(),
                f"{person.surname_kana} {person.given_kana}",
                f"{person.given_kana}・{person.surname_kana}",
            )
        )
        kana = hiragana(
            rng.choice((f"{person.surname_kana} {person.given_kana}", f"{person.given_kana} {person.surname_kana}"))
        )
    if rng.random() < 0.10:
        kana = ""
    town, block, building = _place(rng) if rng.random() < 0.06 else (person.town, person.block, person.building)
    return (
        number, _unprintable(rng, name, 0.5), _misread(rng, kana), western(rng, _misdated(rng, person.born)),
        "" if rng.random() < 0.03 else rng.choice(({"M": "男", "F": "女"}, {"M": "1", "F": "2"}))[person.sex],
        "" if rng.random() < 0.25 else _address(rng, town, block, building),
    )  # fmt: skip


def _called(rng: random.Random, person: Person, share: float) -> tuple[str, str]:
    """The surname an office uses: sometimes the other parent's, sometimes in the 戸籍 form."""
    if person.other_surname[0] and rng.random() < share / 0.3:
        return person.other_surname
    written = person.old_surname if person.old_surname and rng.random() < 0.3 else person.surname
    return written, person.surname_kana


def _miswritten(rng: random.Random, names: Names, person: Person) -> tuple[str, str]:
    """The given name with another spelling of the same reading, or read in another way."""
    roll = rng.random()
    same_sound = names.readings.get(person.given_kana, ())
    if roll < 0.008 and len(same_sound) > 1:
        return rng.choice(same_sound), person.given_kana
    if roll < 0.013 and len(person.given_kana) > 2:
        place = rng.randrange(1, len(person.given_kana))
        return person.given, person.given_kana[:place] + rng.choice("アイウエオカキタトナミユリン") + person.given_kana[
            place + 1 :
        ]
    return person.given, person.given_kana


VOICED = dict(zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポがぎぐげござじずぜぞだぢづでどばびぶべぼ",
                  "カキクケコサシスセソタチツテトハヒフヘホハヒフヘホかきくけこさしすせそたちつてとはひふへほ", strict=True))  # fmt: skip
ANOTHER_SPELLING = {
    "ヅ": "ズ",
    "ヂ": "ジ",
    "づ": "ず",
    "ぢ": "じ",
    "ヴ": "ブ",
    "オウ": "オオ",
    "おう": "おお",
    "ユウ": "ユー",
    "ョウ": "ョー",
}


def _misread(rng: random.Random, kana: str) -> str:
    roll = rng.random()
    if roll < 0.02:
        return kana.translate({ord(k): v for k, v in VOICED.items()})
    if roll < 0.05:
        return large(kana)
    if roll < 0.09:
        for one, other in ANOTHER_SPELLING.items():
            kana = kana.replace(one, other)
    if roll > 0.996 and len(kana) > 3:
        place = rng.randrange(len(kana) - 1)
        return kana[:place] + kana[place + 1 :]
    return kana


def _unprintable(rng: random.Random, name: str, share: float) -> str:
    """What becomes of a character the system has no room for: a mark, or the everyday form."""
    if not any(c in OUTSIDE_JIS for c in name):
        return name
    everyday = {form: plain for plain, forms in OLD_FORMS.items() for form in forms}
    mark = rng.choice("〓?●") if rng.random() < share else ""
    return "".join((mark or everyday.get(c, c)) if c in OUTSIDE_JIS else c for c in name)


def _misdated(rng: random.Random, born: dt.date) -> dt.date:
    roll = rng.random()
    if roll > 0.006:
        return born
    try:
        if roll < 0.002:
            return born.replace(month=born.day, day=born.month)
        if roll < 0.004:
            return born.replace(year=born.year + rng.choice((-1, 1)))
        return born.replace(day=max(1, min(28, born.day + rng.choice((-10, -1, 1, 10)))))
    except ValueError:
        return born


DIGITS = "〇一二三四五六七八九"


def _kanji_number(number: int) -> str:
    tens, ones = divmod(number, 10)
    return f"{'' if tens <= 1 else DIGITS[tens]}{'十' if tens else ''}{DIGITS[ones] if ones else ''}"


def _zones(block: tuple[int, ...]) -> str:
    if len(block) == 3:
        return full_width(f"{block[0]}丁目{block[1]}番{block[2]}号")
    return full_width(f"{block[0]}番地{block[1]}")


def _address(rng: random.Random, town: str, block: tuple[int, ...], building: str) -> str:
    numbers = [
        "-".join(map(str, block)), full_width("－".join(map(str, block))), _zones(block), "ー".join(map(str, block)),
        f"{_kanji_number(block[0])}丁目{'-'.join(map(str, block[1:]))}" if len(block) == 3 else f"{_kanji_number(block[0])}番地の{block[1]}",
    ]  # fmt: skip
    spellings: tuple[dict[str | int, str | int | None], ...] = ({}, {"ヶ": "ケ", "ケ": "ヶ"}, {"ヶ": "が"})
    spelt = town.translate(str.maketrans(rng.choice(spellings)))
    if spelt.startswith("大字") and rng.random() < 0.5:
        spelt = spelt[2:]
    before = rng.choice(("", "", CITY, PREFECTURE + CITY)) if town in TOWNS else rng.choice(("", PREFECTURE))
    shown = "" if not building or rng.random() < 0.4 else rng.choice(("　", " ")) + building
    return f"{before}{spelt}{rng.choice(numbers)}{shown}"


ERA_STARTS = ((dt.date(2019, 5, 1), "5", "令和"), (dt.date(1989, 1, 8), "4", "平成"), (dt.date(1926, 12, 25), "3", "昭和"), (dt.date(1912, 7, 30), "2", "大正"))  # fmt: skip


def _era(day: dt.date) -> tuple[str, str, int]:
    code, name, begins = next((c, n, b) for b, c, n in ERA_STARTS if day >= b)
    return code, name, day.year - begins.year + 1


def era_code(day: dt.date) -> str:
    """5080401: the era's number and six digits."""
    code, _, year = _era(day)
    return f"{code}{year:02}{day.month:02}{day.day:02}"


def era_words(rng: random.Random, day: dt.date) -> str:
    """令和8年4月1日, sometimes in full width, the first year as 元年."""
    _, name, year = _era(day)
    text = f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return full_width(text) if rng.random() < 0.3 else text


def western(rng: random.Random, day: dt.date) -> str:
    """2026/04/01, 2026/4/1, 2026-04-01 or 20260401."""
    return rng.choice((f"{day:%Y/%m/%d}", f"{day.year}/{day.month}/{day.day}", f"{day:%Y-%m-%d}", f"{day:%Y%m%d}"))


def full_width(text: str) -> str:
    """Digits in full width."""
    return text.translate({ord(c): 0xFF10 + i for i, c in enumerate("0123456789")})


def katakana(text: str) -> str:
    """Hiragana as katakana."""
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in text)


def hiragana(text: str) -> str:
    """Katakana as hiragana."""
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in text)


def large(text: str) -> str:
    """Small kana as large ones, as systems without them print."""
    return text.translate(
        str.maketrans("ァィゥェォッャュョヮぁぃぅぇぉっゃゅょゎ", "アイウエオツヤユヨワあいうえおつやゆよわ")
    )


_PLAIN = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンー"
_HALF = dict(zip(_PLAIN, "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｰ", strict=True))
_HALF |= {
    v: _HALF[p] + "ﾞ"
    for v, p in zip(
        "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ", "カキクケコサシスセソタチツテトハヒフヘホウ", strict=True
    )
}
_HALF |= {v: _HALF[p] + "ﾟ" for v, p in zip("パピプペポ", "ハヒフヘホ", strict=True)}


def half_width(text: str) -> str:
    """Katakana in half width, voicing marks apart."""
    return "".join(_HALF.get(c, c) for c in text)


def _rows(name: str) -> list[list[str]]:
    folder = files("japanese_personal_name_dataset") / "dataset" / name
    return [row for row in csv.reader(folder.read_text(encoding="utf-8").splitlines()) if row]


def _running(weights: list[float]) -> list[float]:
    total, found = 0.0, []
    for weight in weights:
        total += weight
        found.append(total)
    return found
