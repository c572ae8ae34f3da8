"""Criteria drafted for a municipality: what is shipped as far as its items carry it, and usual indicators for the rest (analysis side).

``kodomo criteria draft`` writes a folder of text. Nothing of it judges until people have read it, put it into the
municipality's ``criteria/`` and two of them approved it. From the published data only counts are read: which items
there are, what their facts look like, which codes they bear, which sources list whom.
"""

from __future__ import annotations

import json
import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kodomo.configuration import SHIPPED_MUNICIPALITIES, Municipality
from kodomo.errors import StaffError, WrongUsage
from kodomo.features import catalogue, coverage
from kodomo.features.draft_indicators import FEWEST_BEARERS, LONG, Named, as_text, propose, unused
from kodomo.features.item_shapes import EVENT, MONTH, Shape, item_shapes
from kodomo.features.source_lists import Listed, listed_by_sources
from kodomo.features.worries import denies
from kodomo.governance.register import Item, Register, read_register
from kodomo.judgement import draft_labels, draft_points, labels, scenarios
from kodomo.judgement.draft_check import check_draft
from kodomo.store.database import Snapshot
from kodomo.terms import DifficultyType

MARK, OUTSIDE = "★", "外部"
BASE, MORE = "hinata", "usual"
"""Shipped criteria: those of the town that does not exist, and those for items that it lacks."""
FILES = (catalogue.FILE, scenarios.FILE, labels.FILE, coverage.FILE)
BLOCK = re.compile(r"(?m)^(?=\[\[)")
TITLE = re.compile(r"(?m)^(\s*#.*\n|\s*\n)+\Z")
NOT_JUDGED = ("locating", "expected_delivery")
"""Roles of items that say where somebody is, not how it is."""
WHERE = ("school_enrolled", "grade", "age", "address", "expected_delivery")
"""Usual codes of items that say who or where somebody is: nobody is judged by the name of a school."""
SCALE = re.compile(r"\((\d+)[–-](\d+)\)")
"""A scale as a sentence names it: 「世話の負担が {value}(0–10)」."""
NEGATED = ("未", "非", "不", "無", "否")
ALIKE = {"要精査": r"要精|要紹介", "要観察": r"^要?(経過)?観察", "所得割": r"^(所得割)?課税$"}
"""Codes that offices write in several ways."""
SERVED = f"# {MARK} 困難そのものでなく、支援につながっていないことを見るなら、is_off の行を消す\n"
"""Before shipped lines that speak against a difficulty because there is support: what its type asks after, the need or
the lack of support, is for the municipality to say, and until it has, nobody in need is put last."""


@dataclass
class Draft:
    """The files' texts, and what a person has to know of them."""

    texts: dict[str, str]
    remarks: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def draft_criteria(
    municipality: Municipality, snapshot: Snapshot, out: Path, spill: Path | None = None
) -> dict[str, Any]:
    """Write drafted criteria into ``out/criteria``: the municipality's own where it has some, else the shipped ones.

    Reads the municipality's folder and the published snapshot. Writes a new folder only.

    Returns:
        ``out``, ``remarks`` in Japanese, how many entries were kept, left out and proposed, and ``faults``.

    Raises:
        WrongUsage: there is something at ``out`` already.
        StaffError: it can't be written.
    """
    if (out / "criteria").exists():
        raise WrongUsage(
            "書き出す先に criteria フォルダがあります。", where=str(out), then="新しいフォルダの名前を書いてください。"
        )
    register = read_register(municipality.folder)
    shapes = item_shapes(snapshot, spill)
    own = municipality.criteria_folder / "criteria"
    is_own = all((own / name).is_file() for name in FILES)
    draft = _read_own(own) if is_own else _shipped(register, shapes)
    if not is_own:
        lists = listed_by_sources(snapshot, spill)
        draft.texts[coverage.FILE] = _coverage(
            draft.texts[coverage.FILE],
            lists,
            {office.code for office in municipality.offices if office.institution == OUTSIDE},
            snapshot,
        )
    _add_proposed(draft, register, shapes, with_points=not is_own)
    _write(out / "criteria", draft.texts)
    faults = check_draft(out)["faults"]
    return {"out": str(out), "is_own": is_own, **draft.counts, "remarks": draft.remarks, "faults": faults}


def _read_own(folder: Path) -> Draft:
    return Draft({name: (folder / name).read_text(encoding="utf-8") for name in FILES})


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as fault:
        raise StaffError(
            "フォルダを作れません。", where=f"{folder} ({fault.strerror})", then="書き込める場所を指定してください。"
        ) from None


# The shipped criteria, as far as the municipality's items carry them -----------------------------


def _shipped(register: Register, shapes: Mapping[str, Shape]) -> Draft:
    """The shipped files without what looks at items that the municipality lacks, codes put in its own words."""
    texts = {name: _joined(name) for name in FILES}
    draft = Draft(texts)
    has = {item for item in register.items if item not in register.refused}
    gone: set[str] = set()
    unsaid: set[str] = set()
    asked_for: dict[str, set[str]] = defaultdict(set)
    served: set[str] = set()
    for line in tomllib.loads(texts[scenarios.FILE])["points"]:
        for condition in line["when"]:
            asked_for[condition.split(" ")[0]].add(line["type"])
            if line["points"] < 0:
                served.add(condition.split(" ")[0])

    def keep_indicator(entry: dict[str, Any], block: str) -> str:
        items = [entry[key] for key in ("item", "per") if entry.get(key)]
        told = entry.get("structure") or all(item in shapes for item in items)
        unfit = _too_old(entry, shapes) or _on_another_scale(entry, shapes) or _asks_words_for_a_figure(entry, shapes)
        if not (set(items) <= has and told) or unfit:
            gone.add(str(entry["code"]))
            return ""
        if entry["code"] in served:
            block = block.replace('sign = "-"', 'sign = "none"')
        shape = shapes.get(str(entry.get("item")))
        if shape:
            block = _of_the_granted(entry, _of_the_last_month(entry, block, shape), shape)
        if shape and shape.whose == "self" and entry.get("whose") == "mother":
            # printed in the child's row, as EPDS beside the baby's name: asked of the mother, none would be found
            block = re.sub(r'(?m)^whose = "mother"\n', "", block)
        if shape and entry.get("is_label_trace") and not entry.get("codes"):
            return _of_one_type(entry, block, shape, asked_for.get(str(entry["code"]), set()))
        if not (shape and entry.get("codes")):
            return _of_a_yes(block) if shape and (shape.is_presence or shape.is_flag) else block
        if shape.has_numbers and not shape.codes:
            gone.add(str(entry["code"]))  # here the item is a figure, and its indicators are drafted from that
            return ""
        fitted = _fitted(entry, block, shape, draft.remarks)
        if fitted.startswith("#"):
            unsaid.add(str(entry["code"]))
        return fitted

    texts[catalogue.FILE] = _kept(texts[catalogue.FILE], {"indicators": keep_indicator})

    def keep_rule(entry: dict[str, Any], block: str) -> str:
        asked = {condition.split(" ")[0] for condition in entry.get("when", ())}
        if asked & unsaid and not asked & gone:
            note = f"# {MARK} 指標のコードが、いまのデータに出ていないか、ごく少ない。コードを直して # を外す\n"
            return note + "".join(f"# {line}\n" for line in block.strip().splitlines()) + "\n"
        if asked & gone:
            return ""
        return f"{SERVED}{block.rstrip()}\nis_off = true\n" if entry.get("points", 0) < 0 else block

    before = texts[scenarios.FILE]
    texts[scenarios.FILE] = _kept(before, {"points": keep_rule, "escalations": keep_rule})

    def keep_label(entry: dict[str, Any], block: str) -> str:
        shape = shapes.get(str(entry.get("item")))
        if shape is None:
            return ""
        own = draft_labels.codes_of(str(entry["type"]), shape) if "type" in entry else []
        if entry.get("codes") and not own:
            draft.remarks.append(
                f"{labels.FILE}: 「{entry['type']}」の把握事例とみなす「{entry['item']}」のコードが、いまのデータに見つかりません。"
            )
            return (
                f"# {MARK} いまのデータに、この類型を表すコードが見つからない。コードを書いて # を外す\n"
                + "".join(f"# {line}\n" for line in block.strip().splitlines())
                + "\n"
            )
        return _with_codes(block, own) if entry.get("codes") else block

    texts[labels.FILE] = _kept(texts[labels.FILE], {"labels": keep_label, "known_to_support": keep_label})
    _add_registers(draft, {code: register.items[code] for code in sorted(has)}, shapes)
    _add_siblings(draft, {code: register.items[code] for code in sorted(has)})
    kept = [len(BLOCK.split(texts[name])) - 1 for name in (catalogue.FILE, scenarios.FILE)]
    draft.counts = {"indicators_kept": kept[0], "indicators_left_out": len(gone), "lines_kept": kept[1]}
    return draft


def _add_registers(draft: Draft, items: Mapping[str, Item], shapes: Mapping[str, Shape]) -> None:
    """Labels out of the registers that other offices keep, for the types that no shipped label finds."""
    entries = tomllib.loads(draft.texts[labels.FILE]).get("labels", [])
    found = list(draft_labels.proposed(entries, items, shapes))
    for kind, caption, _ in found:
        draft.remarks.append(
            f"{labels.FILE}: 「{caption}」を、{kind.label}を把握した記録とみました。違えば消してください。"
        )
    draft.texts[labels.FILE] = "\n".join([draft.texts[labels.FILE].rstrip() + "\n", *(text for *_, text in found)])
    spoken = {entry["type"] for entry in entries} | {kind.label for kind, *_ in found}
    for kind in DifficultyType:
        if kind.label in draft_labels.CAPTIONS and kind.label not in spoken:
            draft.remarks.append(
                f"{labels.FILE}: 「{kind.label}」を把握した記録が見つかりません。あれば書き足してください(ないと、点だけで判定します)。"
            )


def _add_siblings(draft: Draft, items: Mapping[str, Item]) -> None:
    """Lines on a sibling's being recognised, where no shipped line asks that of the register."""
    asked = {
        str(entry["code"]): str(entry["item"])
        for entry in tomllib.loads(draft.texts[catalogue.FILE]).get("indicators", [])
        if entry.get("whose") == "siblings" and entry.get("item")
    }
    written = {
        (str(line["type"]), asked[code])
        for line in tomllib.loads(draft.texts[scenarios.FILE]).get("points", [])
        if (code := line["when"][0].split(" ")[0]) in asked
    }
    found = list(draft_labels.of_siblings(tomllib.loads(draft.texts[labels.FILE]).get("labels", []), items, written))
    title = f"\n# ── 下書き: 同じ家のこどもの把握 ──\n# {MARK} 見本・未検証。記録そのものからは学ばない\n"
    for name, table, entries in (
        (catalogue.FILE, "indicators", [indicator for indicator, _ in found]),
        (scenarios.FILE, "points", [line for _, line in found]),
    ):
        if entries:
            draft.texts[name] = draft.texts[name].rstrip() + "\n" + title + as_text(table, entries)


def _too_old(entry: Mapping[str, Any], shapes: Mapping[str, Shape]) -> bool:
    """Whether an indicator asks only children older than any that bears its item: another city's item of that name."""
    shape = shapes.get(str(entry.get("item")))
    if shape is None or entry.get("structure") or entry.get("whose", "self") != "self" or shape.whose != "self":
        return False
    youngest = max(int(entry.get("ages", (0,))[0]), int(entry.get("grades", (-5,))[0]) + 5)
    return 0 <= shape.oldest < youngest


def _on_another_scale(entry: Mapping[str, Any], shapes: Mapping[str, Shape]) -> bool:
    """Whether an indicator names a scale that the answers here don't use: 4 of 4 is not 4 of 10."""
    shape, named = shapes.get(str(entry.get("item"))), SCALE.search(str(entry.get("sentence", "")))
    return bool(shape and named and shape.has_numbers and 2 * shape.most < float(named[2]))


def _of_the_last_month(entry: Mapping[str, Any], block: str, shape: Shape) -> str:
    """What a source states anew list by list holds now if the last list we know said so; of today none has come yet.

    The window reaches as far back as the newest list has ever been over when the next came: a register of certificates that
    comes once a year holds for a year, not for a month, and an allowance known only when its year is over tells of that year.
    """
    months = max(shape.late, 2 if shape.spell == MONTH else 0)
    if not months or shape.spell == EVENT:
        return block
    if (entry.get("at"), entry.get("aggregate")) == ("now", "any"):
        return re.sub(r'(?m)^at = "now"$', f'at = "touching"\nwindow_months = {min(months, LONG)}', block)
    if entry.get("aggregate") == "last" and int(entry.get("window_months", LONG)) <= months:
        # What begins in the window: the month that the newest list is of lies before its end.
        return re.sub(r"(?m)^window_months = .*$", f"window_months = {min(months + 1, LONG)}", block)
    return block


REFUSED = re.compile(r"^(否|却下|不(認定|承認|支給|可|決定|該当)|非(認定|該当)|取り?下げ?|辞退)")
"""A list of who applied names those refused as well."""


def _of_the_granted(entry: Mapping[str, Any], block: str, shape: Shape) -> str:
    """An indicator that asks whether there is something, of a list that says of some that there is not."""
    granted = [code for code, persons in shape.codes if not REFUSED.search(code) and persons >= FEWEST_BEARERS]
    asks = entry.get("aggregate") in ("any", "count") and not {"codes", "number", "is_label_trace"} & set(entry)
    if not asks or not granted or not any(REFUSED.search(code) for code, _ in shape.codes):
        return block
    codes = f"codes = {json.dumps(granted, ensure_ascii=False)}"
    return re.sub(r"(?m)^aggregate = .*$", lambda found: f"{found[0]}\n{codes}", block)


OF_FIGURES = {"sum", "max", "min", "mean", "last", "change", "trend"}


def _asks_words_for_a_figure(entry: Mapping[str, Any], shapes: Mapping[str, Shape]) -> bool:
    """Whether an indicator takes a figure where the item here holds words (いない among 夫・実母): it would stay empty."""
    shape = shapes.get(str(entry.get("item")))
    asks = entry.get("aggregate") in OF_FIGURES and not entry.get("codes") and not entry.get("structure")
    return bool(shape and asks and shape.codes and not shape.has_numbers)


def _of_a_yes(block: str) -> str:
    """An indicator whose item here only says yes, in words: 「滞納の最大が 1」 means that there was some."""
    return re.sub(
        r'(?m)^sentence = "(.*)の最大が ?\{value\}[^"]*"$',
        lambda found: f'sentence = "{found[1]}がある"\nsentence_zero = "{found[1]}はない"',
        block,
    )


def _joined(name: str) -> str:
    """A shipped file and, behind it, the entries for items that the shipped town lacks."""
    texts = [
        path.read_text(encoding="utf-8")
        for folder in (BASE, MORE)
        if (path := SHIPPED_MUNICIPALITIES / folder / "criteria" / name).is_file()
    ]
    return "\n".join(text.rstrip() + "\n" for text in texts)


def _kept(text: str, keeps: Mapping[str, Callable[[dict[str, Any], str], str]]) -> str:
    """A file with each entry as its table's function leaves it; headings of comments stay before what follows them."""
    head, *blocks = BLOCK.split(text)
    found = [head]
    for block in blocks:
        titled = TITLE.search(block)
        body, title = (block[: titled.start()], titled.group()) if titled else (block, "")
        table, listed = next(iter(tomllib.loads(body).items()))
        kept = keeps[table](listed[0], body) if table in keeps else body
        found += [kept.rstrip() + "\n" if kept else "", title if kept or title.strip() else ""]
    return re.sub(r"\n{3,}", "\n\n", "".join(found)).rstrip() + "\n"


def _fitted(entry: dict[str, Any], block: str, shape: Shape, remarks: list[str]) -> str:
    """An indicator with the codes that the data bear, in place of those of the shipped town.

    A word of a municipality's own that fewer than ``FEWEST_BEARERS`` people bear would describe them, and is often one
    clerk's slip: only what is written just as shipped may be that rare.
    """
    there = [code for code, persons in shape.codes if persons >= FEWEST_BEARERS or code in entry["codes"]]
    fitted = list(dict.fromkeys(own for code in entry["codes"] for own in fitting(code, there)))
    if not fitted:
        remarks.append(
            f"{catalogue.FILE}: 「{entry['code']}」のコード「{'・'.join(entry['codes'])}」に当たるものが、いまのデータにないか、ごく少ししかありません。"
        )
        return f"# {MARK} このコードは、いまのデータに出ていないか、ごく少ない\n{block}"
    return _with_codes(block, fitted) if fitted != entry["codes"] else block


def _of_one_type(entry: dict[str, Any], block: str, shape: Shape, types: Collection[str]) -> str:
    """Of a register that says for what a child is in it, a line of one type asks for that type's codes alone."""
    told = [code for code, _ in shape.codes if any(re.search(words, code) for words in draft_labels.OF_TYPE.values())]
    own = [code for code in told if any(code in draft_labels.codes_of(one, shape) for one in types)]
    if len(types) != 1 or not own or len(own) == len(told):
        return block
    (one,) = types
    block = re.sub(r'(?m)^caption = "(.*)"$', lambda found: f'caption = "{found[1]}({one})"', block)
    return re.sub(
        r"(?m)^aggregate = .*$", lambda found: f"{found[0]}\ncodes = {json.dumps(own, ensure_ascii=False)}", block
    )


def fitting(code: str, there: Collection[str]) -> list[str]:
    """The codes of the data that say what a shipped code says: the same, or one inside the other and not its denial.

    >>> fitting("精神", ["身体障害者手帳", "精神障害者保健福祉手帳"]), fitting("受診済", ["未受診", "受診"])
    (['精神障害者保健福祉手帳'], ['受診'])
    """
    plain = {own: unicodedata.normalize("NFKC", own) for own in there}
    alike = [own for own, text in plain.items() if code in ALIKE and re.search(ALIKE[code], text)]
    if code in plain or alike:
        return list(dict.fromkeys([*([code] if code in plain else []), *alike]))
    wanted = unicodedata.normalize("NFKC", code)
    return [
        own
        for own, text in plain.items()
        if min(len(text), len(wanted)) >= 2
        and (wanted in text or text in wanted)
        and (text[0] in NEGATED) == (wanted[0] in NEGATED)
    ]


def _with_codes(block: str, codes: Sequence[str]) -> str:
    listed = ", ".join(f'"{code}"' for code in codes)
    return re.sub(r"(?m)^codes = \[.*\]$", lambda _: f"codes = [{listed}]", block)


# Which source lists whom -------------------------------------------------------------------------


def _coverage(text: str, lists: Mapping[str, Listed], outside: Collection[str], snapshot: Snapshot) -> str:
    """``coverage.toml``: an entry for every source there is, by whom it lists."""
    head, *blocks = BLOCK.split(text)
    shipped = {entry["source"]: entry for block in blocks for entry in tomllib.loads(block)["sources"]}
    holders = {line["source"]: line["holder"] for line in snapshot.read("sources").to_pylist()}
    found = [
        head.rstrip()
        + "\n# 下書き: 受け取ったデータに、誰が載っているかを数えて見当をつけた。kind と年齢を確かめる。\n"
    ]
    for source, listed in sorted(lists.items()):
        entry = {key: value for key, value in shipped.get(source, {}).items() if key in ("weight", "stale_months")}
        kind = "voluntary" if holders.get(source) in outside else "roster" if listed.is_roll else "register"
        if kind == "roster" and shipped.get(source, {}).get("kind") == "universal":
            kind = "universal"
        lines = [f'source = "{source}"', f'kind = "{kind}"          # {MARK}? {listed.evidence}']
        if kind != "voluntary":
            lines += [f"ages = {list(listed.ages)}"] if listed.ages else []
            lines += [f"grades = {list(listed.grades)}"] if listed.grades else []
        if kind in ("roster", "universal") and listed.together:
            lines += [f"together = {json.dumps(listed.together, ensure_ascii=False)}"]
        lines += [] if listed.whose == "self" else [f'whose = ["{listed.whose}"]']
        lines += [f"{key} = {value}" for key, value in sorted(entry.items())] if kind != "register" else []
        found.append("\n[[sources]]\n" + "\n".join(lines) + "\n")
    return "".join(found)


# Indicators for what none looks at ---------------------------------------------------------------


def _add_proposed(draft: Draft, register: Register, shapes: Mapping[str, Shape], with_points: bool) -> None:
    """Put the usual indicators of unused items behind the written ones; and lines of points for what speaks of a worry."""
    written = tomllib.loads(draft.texts[catalogue.FILE])
    entries = written.get("indicators", [])
    made_known = {entry["item"] for entry in tomllib.loads(draft.texts[labels.FILE]).get("labels", [])}
    # Whatever a source says that tells of recognition was written when a child was recognised.
    telling = {source for item in made_known if item in shapes for source in shapes[item].sources}
    traces = {item for item, shape in shapes.items() if telling & set(shape.sources)}
    classes = written.get("class", {}).get("item")
    taken = {str(entry["code"]) for entry in entries}
    proposed: list[dict[str, Any]] = []
    for shape, codes, is_used in unused(shapes, entries):
        item = register.items.get(shape.item)
        if item is None or shape.item in (traces | {classes, *WHERE}) or set(item.roles) & set(NOT_JUDGED):
            continue
        named = Named(item.caption, item.types, "contact" in item.roles)
        proposed += propose(
            shape, named, codes=codes, is_used=is_used, taken=taken | {str(e["code"]) for e in proposed}
        )
    captions = {code: item.caption for code, item in register.items.items()}
    figures = {item: shape for item, shape in shapes.items() if shape.has_numbers}
    most, least = ({item: getattr(shape, end) for item, shape in figures.items()} for end in ("most", "least"))
    denied = {item for item, shape in shapes.items() if any(denies(code) for code, _ in shape.codes)}
    common = {item for item, shape in shapes.items() if shape.is_common}
    answers = {item for item, shape in shapes.items() if shape.is_answer}
    lines = draft_points.lines_for(proposed, captions, most, least, denied, common, answers)
    if lines and with_points:
        title = f"\n# ── 下書き: 言葉から当てた点 ──\n# {MARK} 見本・未検証。要らない行は消し、点を直す。\n"
        text = draft.texts[scenarios.FILE].rstrip() + "\n" + title + as_text("points", lines)
        draft.texts[scenarios.FILE] = text
        draft.counts["lines_proposed"] = len(lines)
    if proposed:
        title = (
            "\n# ── 下書き: どの指標も使っていないデータ項目・区分に、形から当てた指標 ──\n"
            f"# {MARK} 要らないものは消し、名前・文・期間・類型を直す。上がるほど可能性が上がると分かっているものは sign を \"+\" に(学習が逆向きに使わなくなる)。\n"
        )  # fmt: skip
        draft.texts[catalogue.FILE] = (
            draft.texts[catalogue.FILE].rstrip() + "\n" + title + as_text("indicators", proposed)
        )
    draft.counts["indicators_proposed"] = len(proposed)
