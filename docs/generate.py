"""Write the generated reference pages from the code and the data; with --check, say which are out of date."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kodomo import cli, terms  # noqa: E402
from kodomo.assessment import moves as case_moves  # noqa: E402
from kodomo.assessment.states import CaseState  # noqa: E402
from kodomo.city.truth import ANSWER_KEY  # noqa: E402
from kodomo.configuration import read_municipality  # noqa: E402
from kodomo.errors import EXIT_CODES  # noqa: E402
from kodomo.governance import permissions  # noqa: E402
from kodomo.governance.register import ROLES, read_register  # noqa: E402
from kodomo.intake import layout_keys as layout_words  # noqa: E402
from kodomo.store.database import TABLES  # noqa: E402
from kodomo.support import moves as support_moves  # noqa: E402
from kodomo.terms import Purpose  # noqa: E402

MARK = "<!-- docs/generate.py が作る。直接直さない(make docs)。 -->\n\n"
HINATA = ROOT / "municipalities" / "hinata"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; cells are flattened to one line."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(list(head))]
    for row in rows:
        cells = [str(cell if cell is not None else "").replace("\n", " ").replace("|", "\\|") for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def glossary() -> str:
    """GLOSSARY.md: the terms file, then every labelled enumeration."""
    entries = tomllib.loads((ROOT / "docs" / "glossary.toml").read_text())["terms"]
    rows = [(e["japanese"], f"`{e['identifier']}`", e["meaning"], e.get("avoid", "")) for e in entries]
    parts = ["# 用語集\n\n", MARK, table(["日本語", "識別子", "この製品での意味", "避ける語"], rows)]
    for kind in (v for v in vars(terms).values() if isinstance(v, type) and issubclass(v, terms.LabelledEnum)):
        if kind is terms.LabelledEnum:
            continue
        members = [(m.label, f"`{kind.__name__}.{m.name}`", m.description) for m in kind]
        parts.append(f"\n## {kind.__name__}\n\n" + table(["日本語", "識別子", "説明"], members))
    return "".join(parts)


def commands() -> str:
    """Every command with its options, and the exit codes."""
    parts = ["# コマンド一覧\n\n", MARK, "`kodomo --home DIR --municipality DIR COMMAND [--json]`\n\n",
             "`KODOMO_HOME` と `KODOMO_MUNICIPALITY` が既定値になる。`--json` は標準出力に JSON を一つだけ出す。\n\n"]  # fmt: skip
    for name, (_, words, options) in cli.COMMANDS.items():
        parts.append(f"## kodomo {name}\n\n{words}\n\n")
        rows = [("`" + ", ".join(flags) + "`", _option(settings)) for flags, settings in options]
        rows = [row for row in rows if row[1] is not None]
        if rows:
            parts.append(table(["引数", "意味"], rows) + "\n")
    parts.append("## 終了コード\n\n" + table(["コード", "意味"], EXIT_CODES.items()))
    return "".join(parts)


def _option(settings: dict[str, object]) -> str | None:
    words = settings.get("help", "")
    if words == "==SUPPRESS==":
        return None
    default = f"(既定 {settings['default']})" if settings.get("default") not in (None, True, False) else ""
    return f"{words or settings.get('metavar', '')}{default}"


def store_tables() -> str:
    """Every table of the child database, column by column."""
    parts = ["# こどもデータベースの表\n\n", MARK]
    for declared in TABLES.values():
        parts.append(f"## {declared.name}({declared.caption})\n\n一行は、{declared.row_is}。\n\n")
        rows = [(f"`{c.name}`", c.kind, c.caption, c.sensitivity.label, "可" if c.nullable else "", c.note)
                for c in declared.columns]  # fmt: skip
        parts.append(table(["列", "型", "説明", "取扱区分", "空", "弱点・注意"], rows) + "\n")
    return "".join(parts)


def register() -> str:
    """The shipped register of ひなた市: items with basis, and what was refused and why."""
    city = read_municipality(HINATA)
    held = read_register(HINATA)
    parts = [f"# データ項目登録簿({city.name})\n\n", MARK]
    rows = [(f"`{i.code}`", i.caption, "・".join(city.office(h).name for h in i.holders), i.sensitivity.label, "・".join(i.types), "・".join(i.roles))
            for i in held.items.values()]  # fmt: skip
    parts.append(table(["項目", "名称", "保有・管理主体", "取扱区分", "役立つ類型", "役"], rows))
    parts.append("\n## 項目の役(roles)\n\n" + table(["役", "意味"], ((f"`{k}`", v) for k, v in ROLES.items())))
    bases = [(b.code, b.basis.label, b.article, "・".join(p.label for p in Purpose if p in b.purposes), b.nature,
              b.valid_from, b.valid_to, b.decision_number, len(b.items)) for b in held.bases]  # fmt: skip
    head = ["根拠", "区分", "条項", "利用目的", "性質", "から", "まで(含まない)", "決裁番号", "項目数"]
    parts.append("\n## 法的根拠\n\n" + table(head, bases))
    refused = [(r.caption, r.why, r.decided_on, r.decided_by) for r in held.refused.values()]
    parts.append("\n## 使わないと決めた項目\n\n" + table(["項目", "理由", "決めた日", "決めた者"], refused))
    return "".join(parts)


def answer_key() -> str:
    """What the synthetic city's answer key holds."""
    parts = ["# ひなた市の抽出データと答え\n\n", MARK,
             "`kodomo city --out DIR` は、`DIR/extracts/` に各課の抽出ファイルを、`DIR/answer_key/` に答えを書く。\n"
             "同じ引数なら同じバイトになる。答えを読んでよいのは試験と測定だけで、どの段も読まない。\n\n"]  # fmt: skip
    for name, (row_is, columns) in ANSWER_KEY.items():
        parts.append(f"## {name}\n\n一行は、{row_is}。\n\n")
        parts.append(table(["列", "意味"], ((f"`{k}`", v) for k, v in columns.items())) + "\n")
    return "".join(parts)


def roles() -> str:
    """Every role, its description and what it may do."""
    parts = ["# 役割と権限\n\n", MARK]
    rows = [(r.label, f"`{r.name}`", r.description) for r in permissions.Role]
    parts.append(table(["役割", "識別子", "説明"], rows))
    grants = [
        (role.label, "、".join(f"{action.label}({scope.label})" for action, scope in permissions.GRANTS[role].items()))
        for role in permissions.Role
    ]
    parts.append("\n## できること\n\n" + table(["役割", "できること"], grants))
    return "".join(parts)


def layout_keys() -> str:
    """Every key of a layout file, part by part, and every word that a key may hold."""
    parts = ["# レイアウトの書き方(全部の項目)\n\n", MARK,
             "出所ごとに一つの TOML ファイルを `sources/` に置く。書き方の例は[レイアウトの書き方](../how-to/layouts.md)、",
             "下書きは `kodomo layout draft ファイル`、確かめるのは `kodomo layout check レイアウト ファイル`。\n"]  # fmt: skip
    for name, (caption, keys) in layout_words.PARTS.items():
        if name == "people":
            parts.append(
                f"\n## {caption}\n\n項目は [[repeat]] と同じ。一人ごとに別の記録になる。名前には {{}} を入れる。\n"
            )
            continue
        rows = [(f"`{k.name}`", "要" if k.needed else "", k.words, "" if k.needed else k.default) for k in keys]
        parts.append(f"\n## {caption}\n\n" + table(["項目", "必須", "意味", "書かないとき"], rows))
    for caption, words in layout_words.LISTS.values():
        parts.append(
            f"\n## {caption} に書ける言葉\n\n" + table(["言葉", "意味"], [(f"`{w}`", m) for w, m in words.items()])
        )
    return "".join(parts)


def states() -> str:
    """The states of a case and of what belongs to it, drawn from the tables that the code itself is held to."""
    parts = ["# 状態の移り変わり\n\n", MARK,
             "事例・調査・議事・支援計画・受け渡し票が、何によってどの状態に移るか。事例の移り方は、ここにないものを保存できない。\n"]  # fmt: skip
    for caption, kinds, moves in (
        ("事例", CaseState, case_moves.CASE_MOVES), ("調査", case_moves.InquiryState, case_moves.INQUIRY_MOVES),
        ("統括委員会の議事", case_moves.ItemState, case_moves.ITEM_MOVES),
        ("支援計画", support_moves.PlanState, support_moves.PLAN_MOVES),
        ("受け渡し票", support_moves.PackageState, support_moves.PACKAGE_MOVES),
    ):  # fmt: skip
        label = {member.value: member.label for member in kinds}
        parts.append(f"\n## {caption}\n\n```mermaid\nstateDiagram-v2\n")
        parts += [f"    {member.value}: {member.label}\n" for member in kinds]
        arrows: dict[tuple[str, str], list[str]] = {}
        for move in moves:
            arrows.setdefault((str(move.before) or "[*]", str(move.after)), []).append(move.words)
        parts += [f"    {a} --> {b}: {'・'.join(dict.fromkeys(words))}\n" for (a, b), words in arrows.items()]
        rows = [(label.get(move.before, "(はじまり)"), move.words, label[move.after]) for move in moves]
        parts.append("```\n\n" + table(["いまの状態", "すること・起きること", "つぎの状態"], rows))
    return "".join(parts)


PAGES = {
    "docs/reference/states.md": states,
    "docs/reference/layout.md": layout_keys,
    "GLOSSARY.md": glossary,
    "docs/reference/commands.md": commands,
    "docs/reference/store.md": store_tables,
    "docs/reference/register-hinata.md": register,
    "docs/reference/roles.md": roles,
    "docs/reference/answer-key.md": answer_key,
}


def main() -> int:
    """Write every page, or with --check compare and answer 1 when one is out of date."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, make in PAGES.items():
        path, text = ROOT / name, make()
        if check and (not path.exists() or path.read_text() != text):
            stale.append(name)
        elif not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if stale:
        print("生成文書が古くなっています(make docs):", *stale, file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
