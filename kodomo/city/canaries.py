"""Canary identities: names, addresses and numbers nobody else has, so that a leak cannot be mistaken (synthetic city)."""

from __future__ import annotations

from dataclasses import replace

from kodomo.city.families import is_child
from kodomo.city.kana import half_width, hiragana
from kodomo.city.names import Given, Surname, Town
from kodomo.city.people import LAST_DAY, City, Person

SURNAMES = (
    ("鶫野森", "ツグミノモリ"), ("金糸雀", "カナリア"), ("瑠璃鶲", "ルリビタキ"), ("目白押", "メジロオシ"), ("星鴉谷", "ホシガラスヤ"),
    ("花鶏坂", "アトリザカ"), ("菊戴山", "キクイタダキヤマ"), ("尉鶲崎", "ジョウビタキザキ"),
)  # fmt: skip
GIVEN = {
    "M": (
        ("鶚丸", "ミサゴマル"),
        ("隼鷹", "ジュンヨウ"),
        ("鵜飼介", "ウカイスケ"),
        ("雁之丞", "カリノジョウ"),
        ("鶉斗", "ウズラト"),
    ),
    "F": (
        ("鵯子", "ヒヨドリコ"),
        ("翡翠羽", "カワセミハ"),
        ("鶯音", "ウグイスネ"),
        ("雲雀野", "ヒバリノ"),
        ("鴇羽", "トキハ"),
    ),
}
TOWN = Town("鳥籠町", "トリカゴチョウ", "9990999", 9, 7)


def plant(city: City) -> list[tuple[str, str]]:
    """Give canary names and a canary town to whole families, protected and troubled ones among them.

    Returns:
        (kind, value) of everything planted, in the spellings records use.
    """
    families = [f for f in city.families if any(is_child(c, LAST_DAY) and c.is_resident(LAST_DAY) for c in f.children)]
    plain = [f for f in families if not f.is_foreign and f.step_parent is None and f.single_from > LAST_DAY]
    protected = [f for f in families if any(c.is_protected for c in f.children) and not f.is_foreign][:2]
    chosen = list(dict.fromkeys([*protected, *(f for f in plain if len(f.children) > 1)]))[: len(SURNAMES)]
    planted: list[tuple[str, str]] = []
    for (text, kana), family in zip(SURNAMES, chosen, strict=False):
        surname = Surname(text, kana)
        planted += [("surname", text), ("kana", kana), ("kana", half_width(kana)), ("kana", hiragana(kana))]
        used = {"M": 0, "F": 0}
        for person in [*family.adults(), *family.children]:
            rename(person, surname, used)
            planted.append(("given", person.given.text))
            planted += [("number", number) for number in person.numbers()]
        for person in [*family.adults(), *family.children, *family.grandparents]:
            _move(person, planted)
    planted.append(("address", TOWN.name))
    return sorted(set(planted))


def rename(person: Person, surname: Surname, used: dict[str, int]) -> None:
    """The canary surname through the person's whole life, and a canary given name."""
    person.surnames[:] = [(day, surname) for day, _ in person.surnames]
    names = GIVEN[person.sex]
    text, kana = names[used[person.sex] % len(names)]
    used[person.sex] += 1
    person.given = Given(text, kana)


def _move(person: Person, planted: list[tuple[str, str]]) -> None:
    for i, stay in enumerate(person.stays):
        person.stays[i] = replace(stay, address=stay.address._replace(town=TOWN, chome=max(stay.address.chome, 1)))
        planted.append(("household_number", stay.household))
