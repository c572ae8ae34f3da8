"""住民記録: the resident register and its history, as the core system prints them (synthetic city)."""

from __future__ import annotations

import numpy as np

from kodomo.city.eras import kanji, letters, overrun, seven_digits
from kodomo.city.mistakes import Manner, Scribe
from kodomo.city.people import HISTORY_FROM, LAST_DAY, Person, Stay
from kodomo.city.press import STAMP, Press
from kodomo.city.sheets import Cell, Sheet

REASON_CODES = {
    "転入": "10", "出生": "11", "職権記載": "12", "転出": "20", "死亡": "21", "職権消除": "22", "転居": "30",
    "世帯変更": "40", "婚姻": "50", "離婚": "51", "氏名変更": "60",
}  # fmt: skip

CORE = Manner(script="half", jis=0.0, private_use=0.12, large_kana=0.0, alias=0.0, kana_missing=0.0015, geta=0.05)


def print_register(press: Press) -> None:
    """Both files of the 住民記録システム."""
    scribe = press.scribe("resident_register", CORE)
    _print_list(press, scribe)
    _print_moves(press, scribe)


def registrations(person: Person) -> list[list[Stay]]:
    """A person's stays grouped by 宛名番号: one register entry each."""
    groups: list[list[Stay]] = []
    for stay in person.stays:
        if groups and groups[-1][-1].number == stay.number:
            groups[-1].append(stay)
        else:
            groups.append([stay])
    return groups


def _print_list(press: Press, scribe: Scribe) -> None:
    rng = press.rng("resident_register")
    entries = [(g, p) for p in press.city.people for g in registrations(p) if g[-1].end > HISTORY_FROM]
    entries.sort(key=lambda e: (e[0][-1].household, e[0][-1].number))
    rows = [_entry(press, scribe, person, group) for group, person in entries]
    phones = rng.integers(0, 10000, len(rows))
    columns: dict[str, list[Cell]] = {name: [row[i] for row in rows] for i, name in enumerate(_ENTRY_COLUMNS)}
    columns["電話番号"] = [f"0999-{20 + n % 70}-{n:04d}" if n % 3 else "" for n in phones.tolist()]
    columns["電話番号#2"] = [f"090-0000-{n:04d}" if n % 2 else "" for n in phones[::-1].tolist()]
    living = sum(group[-1].end > LAST_DAY for group, _ in entries)
    press.printer.write(
        Sheet(
            "resident_register", f"住民記録_一覧_{STAMP}.csv", columns, [p.person_id for _, p in entries],
            top=("住民記録一覧表(基準日:令和8年4月1日)", "出力日時:R08.04.01 05:12:44", "抽出条件:全件(消除者を含む)"),
            foot=(f"合計 {living:,}人(現存)", "＊＊＊ 以下余白 ＊＊＊"), exact_duplicates=0.0004, unreadable=0.0006,
        )
    )  # fmt: skip


_ENTRY_COLUMNS = (
    "宛名番号", "世帯番号", "住民種別", "氏名", "氏名ｶﾅ", "旧氏", "通称", "生年月日", "性別", "郵便番号", "住所", "続柄",
    "国籍区分", "支援措置区分", "住民となった日", "住民となった事由", "消除日", "消除事由",
)  # fmt: skip


def _entry(press: Press, scribe: Scribe, person: Person, group: list[Stay]) -> tuple[str, ...]:
    last = group[-1]
    day = min(last.end - 1, LAST_DAY)
    name, kana = scribe.names(person, day)
    former = person.surnames[0][1].text if person.former_shown and len(person.surnames) > 1 else ""
    gone = last.end <= LAST_DAY
    alias = f"{person.alias[0]}　{person.given.text}" if person.alias else ""
    return (
        last.number, last.household, "外国人" if person.foreign else "日本人", name, kana, former, alias,
        letters(scribe.born(person)), "1" if person.sex == "M" else "2",
        f"{last.address.town.postcode[:3]}-{last.address.town.postcode[3:]}", scribe.place(last.address), last.relation,
        "2" if person.foreign else "1", "1" if person.is_protected else "0", kanji(group[0].start), group[0].reason,
        kanji(last.end) if gone else "", last.end_reason if gone else "",
    )  # fmt: skip


def _print_moves(press: Press, scribe: Scribe) -> None:
    rng = press.rng("resident_moves")
    events: list[tuple[int, Person, Stay, Stay | None, str]] = []
    for person in press.city.people:
        for before, stay in zip([None, *person.stays], person.stays, strict=False):
            if HISTORY_FROM <= stay.start <= LAST_DAY:
                events.append((stay.start, person, stay, before, stay.reason))
            if stay.end_reason and HISTORY_FROM <= stay.end <= LAST_DAY:
                events.append((stay.end, person, stay, stay, stay.end_reason))
    events.sort(key=lambda e: (e[0], e[1].person_id, e[4]))
    delay = _delays(rng, [e[4] for e in events])
    columns: dict[str, list[Cell]] = {
        "履歴番号": [str(i) for i in range(1, len(events) + 1)],
        "宛名番号": [e[2].number for e in events],
        "異動日": [kanji(e[0]) if i % 40 else overrun(e[0]) for i, e in enumerate(events)],
        "届出日": [seven_digits(min(e[0] + d, LAST_DAY)) for e, d in zip(events, delay, strict=True)],
        "異動事由": [REASON_CODES[e[4]] for e in events],
        "世帯番号": [e[2].household for e in events],
        "続柄": [e[2].relation for e in events],
        "氏名": [scribe.name(e[1], e[0]) for e in events],
        "カナ": [scribe.kana(e[1], e[0]) for e in events],
        "異動後住所": [scribe.place(e[2].address) if e[2].end > e[0] else "市外" for e in events],
        "異動前住所": [_before(scribe, e[3], e[4]) for e in events],
    }
    press.printer.write(
        Sheet(
            "resident_moves", f"異動履歴_{STAMP}.csv", columns, [e[1].person_id for e in events],
            top=("住民異動履歴 平成28年4月1日以降 出力者:システム",), foot=("以上",), exact_duplicates=0.0006, unreadable=0.001,
        )
    )  # fmt: skip


def _before(scribe: Scribe, before: Stay | None, reason: str) -> str:
    if before is None or reason in ("転入", "出生"):
        return "市外" if reason == "転入" else ""
    return scribe.place(before.address)


def _delays(rng: np.random.Generator, reasons: list[str]) -> list[int]:
    """Days until somebody reported: mostly within the fortnight the law asks for, some months later."""
    drawn = rng.exponential(6.0, len(reasons)) + 90 * (rng.random(len(reasons)) < 0.04) * rng.random(len(reasons)) * 3
    return [0 if r == "職権消除" else int(d) for r, d in zip(reasons, drawn.tolist(), strict=True)]
