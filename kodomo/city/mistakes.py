"""How clerks and systems write people down: spellings, variants, slips, stale and missing values (synthetic city)."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from kodomo.city.kana import drop_marks, half_width, hiragana, large_letters
from kodomo.city.names import Address, Surname
from kodomo.city.people import Person

TO_JIS = str.maketrans(
    {
        "髙": "高",
        "﨑": "崎",
        "邉": "辺",
        "邊": "辺",
        "齋": "斎",
        "齊": "斉",
        "濵": "浜",
        "濱": "浜",
        "德": "徳",
        "澤": "沢",
        "瀧": "滝",
    }
)
PRIVATE_USE = {
    "髙": "\ue001",
    "﨑": "\ue002",
    "邉": "\ue010",
    "邊": "\ue011",
    "齋": "\ue020",
    "德": "\ue031",
    "吉": "\ue040",
}
HOMOPHONES = {
    "太": "汰", "大": "太", "斗": "人", "菜": "奈", "香": "花", "優": "悠", "翔": "将", "陽": "遥", "結": "由", "美": "実",
    "子": "湖", "裕": "祐", "介": "助", "郎": "朗", "真": "眞", "穂": "帆", "央": "緒", "花": "華", "太郎": "太朗", "藤": "東",
    "本": "元", "川": "河", "田": "多", "健": "賢", "俊": "峻", "一": "市", "彩": "綾", "咲": "早紀",
}  # fmt: skip


@dataclass(frozen=True)
class Manner:
    """How one office writes people: its habits, and how often it slips."""

    space: str = "　"
    script: str = "full"  # full, half, hiragana, none
    jis: float = 0.0
    private_use: float = 0.0
    geta: float = 0.0
    homophone: float = 0.0
    no_space: float = 0.0
    stale_name: float = 0.0
    kana_missing: float = 0.0
    large_kana: float = 0.0
    lost_marks: float = 0.0
    kana_slip: float = 0.0
    roman: bool = True
    swapped: float = 0.0
    alias: float = 0.0
    birth_slip: float = 0.0
    old_address: float = 0.0
    address_style: str = "register"


class Scribe:
    """Writes people down in one office's manner; the same person comes out the same way every time."""

    def __init__(self, seed: int, source: str, manner: Manner) -> None:
        self.rng = random.Random(f"scribe-{seed}-{source}")
        self.manner = manner
        self._cards: dict[tuple[str, str], tuple[str, str]] = {}
        self._births: dict[str, int] = {}
        self._addresses: dict[tuple[str, Address], str] = {}

    # ── names ──

    def names(self, person: Person, day: int) -> tuple[str, str]:
        """Name and kana as this office has them on a day."""
        surname = person.surname_on(day)
        key = (person.person_id, surname.text)
        card = self._cards.get(key)
        if card is None:
            card = self._cards[key] = self._write(person, day, surname)
        return card

    def name(self, person: Person, day: int) -> str:
        """The name alone."""
        return self.names(person, day)[0]

    def kana(self, person: Person, day: int) -> str:
        """The kana alone."""
        return self.names(person, day)[1]

    def _write(self, person: Person, day: int, surname: Surname) -> tuple[str, str]:
        rng, manner = self.rng, self.manner
        if person.foreign is not None:
            return self._foreign(person)
        if len(person.surnames) > 1 and rng.random() < manner.stale_name:
            surname = person.surname_on(day - 400)
        gap = "" if rng.random() < manner.no_space else manner.space
        text = self._characters(surname.text) + gap + self._given(person)
        return text, self._reading(surname.kana, person.given.kana)

    def _given(self, person: Person) -> str:
        text = person.given.text
        if self.rng.random() < self.manner.homophone:
            spots = [c for c in text if c in HOMOPHONES]
            if spots:
                spot = self.rng.choice(spots)
                return text.replace(spot, HOMOPHONES[spot], 1)
        return text

    def _characters(self, surname: str) -> str:
        rng, manner = self.rng, self.manner
        old = [c for c in surname if c in PRIVATE_USE or ord(c) > 0xF000]
        if old and rng.random() < manner.private_use:
            return "".join(PRIVATE_USE.get(c, c) for c in surname)
        if old and rng.random() < manner.geta:
            return "".join("〓" if c in old else c for c in surname)
        if rng.random() < manner.jis:
            return surname.translate(TO_JIS)
        return surname

    def _reading(self, family: str, given: str) -> str:
        rng, manner = self.rng, self.manner
        if manner.script == "none" or rng.random() < manner.kana_missing:
            return ""
        text = f"{family}　{given}"
        if rng.random() < manner.lost_marks:
            text = drop_marks(text)
        if rng.random() < manner.large_kana:
            text = large_letters(text)
        if rng.random() < manner.kana_slip:
            text = _slip(text, rng)
        if rng.random() < manner.no_space:
            text = text.replace("　", "")
        return self._script(text)

    def _script(self, text: str) -> str:
        if self.manner.script == "half":
            return half_width(text)
        return hiragana(text) if self.manner.script == "hiragana" else text

    def _foreign(self, person: Person) -> tuple[str, str]:
        rng, manner, name = self.rng, self.manner, person.foreign
        assert name is not None  # noqa: S101
        if person.alias and rng.random() < manner.alias:
            return f"{person.alias[0]}{manner.space}{person.given.text}", self._reading(
                person.alias[1], person.given.kana
            )
        parts = [name.family, name.given]
        if rng.random() < manner.swapped:
            parts.reverse()
        reading = self._script("　".join(kana for _, kana in parts))
        if manner.roman:
            return " ".join(roman for roman, _ in parts), reading
        return "・".join(kana.replace(" ", "") for _, kana in parts), reading

    # ── birth dates and addresses ──

    def born(self, person: Person) -> int:
        """The birth date this office has: now and then a slip of one digit or two swapped parts."""
        known = self._births.get(person.person_id)
        if known is None:
            known = person.born
            if self.rng.random() < self.manner.birth_slip:
                known = _birth_slip(person.born, self.rng)
            self._births[person.person_id] = known
        return known

    def address(self, person: Person, day: int) -> str:
        """The address this office has; sometimes the one before the last move. Empty when never registered."""
        stay = person.stay_on(day) or person.last_stay()
        if stay is None:
            return ""
        address = stay.address
        earlier = [s.address for s in person.stays if s.address != address and s.start < stay.start]
        if earlier and self.rng.random() < self.manner.old_address:
            address = earlier[-1]
        key = (person.person_id, address)
        if key not in self._addresses:
            self._addresses[key] = self.place(address)
        return self._addresses[key]

    def place(self, address: Address) -> str:
        """A dwelling in this office's notation."""
        style = self.manner.address_style
        if style == "mixed":
            style = self.rng.choice(("register", "plain", "hyphen", "hyphen", "kanji", "prefecture"))
        return write_address(address, style, self.rng)


def _slip(kana: str, rng: random.Random) -> str:
    swaps = {
        "ヅ": "ズ",
        "ヂ": "ジ",
        "オオ": "オウ",
        "ウウ": "ウ",
        "ユウ": "ユ",
        "ジョウ": "ジョ",
        "エイ": "エエ",
        "ハラ": "バラ",
        "サキ": "ザキ",
    }
    found = [s for s in swaps if s in kana]
    if found:
        spot = rng.choice(found)
        return kana.replace(spot, swaps[spot], 1)
    cut = rng.randrange(len(kana))
    return kana[:cut] + kana[cut + 1 :] if kana[cut] != "　" else kana


def _birth_slip(born: int, rng: random.Random) -> int:
    day = dt.date.fromordinal(born)
    roll = rng.random()
    if roll < 0.35 and day.day <= 12:
        return dt.date(day.year, day.day, min(day.month, 28)).toordinal()
    if roll < 0.7:
        return born + rng.choice((-10, -1, 1, 10, 9, -9))
    return dt.date(day.year + rng.choice((-1, 1)), day.month, min(day.day, 28)).toordinal()


_WIDE = str.maketrans("0123456789-", "０１２３４５６７８９－")
_KANJI_DIGITS = "〇一二三四五六七八九"


def _kanji_number(number: int) -> str:
    if number < 10:
        return _KANJI_DIGITS[number]
    tens, ones = divmod(number, 10)
    return ("" if tens == 1 else _KANJI_DIGITS[tens]) + "十" + (_KANJI_DIGITS[ones] if ones else "")


def write_address(address: Address, style: str, rng: random.Random) -> str:
    """One dwelling in one of the notations in use.

    Args:
        address: the dwelling.
        style: register (全角, 丁目番号), plain (半角), hyphen, kanji (丁目 in kanji), prefecture (県から).
        rng: for the free choices of building names.
    """
    town = address.town.name
    if rng.random() < 0.2 and style != "register":
        town = town.replace("ヶ", rng.choice(("ケ", "が", "ｹ")))
    building = _building(address, style, rng)
    if style == "hyphen":
        parts = [str(n) for n in (address.chome, address.block, address.number) if n]
        return f"{'ひなた市' if rng.random() < 0.7 else ''}{town}{'-'.join(parts)}{building}"
    body = _numbered(address, kanji=style == "kanji")
    start = "架空県ひなた市" if style == "prefecture" else "ひなた市"
    text = f"{start}{town}{body}"
    return (text.translate(_WIDE) if style == "register" else text) + building


def _numbered(address: Address, *, kanji: bool) -> str:
    if not address.chome:
        tail = f"{address.number}" if address.number else ""
        return f"{address.block}番地{tail}"
    chome = _kanji_number(address.chome) if kanji else str(address.chome)
    return f"{chome}丁目{address.block}番{address.number}号"


def _building(address: Address, style: str, rng: random.Random) -> str:
    if not address.building:
        return ""
    if style == "register":
        return f"　{address.building}{address.room.translate(_WIDE)}号"
    roll = rng.random()
    if roll < 0.25:
        return ""
    return f"-{address.room}" if roll < 0.4 and style == "hyphen" else f" {address.building}{address.room}"


BROKEN_DATES = ("平成28年13月2日", "R6.2.31", "R元.4.31", "○年○月", "H30/14/05", "2025-02-30", "不明(要確認)")
"""What nobody can read; each is a date no calendar has."""
