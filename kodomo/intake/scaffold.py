"""``kodomo municipality new`` and ``check``: the smallest folder of a municipality, and what one lacks (identity side)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kodomo.configuration import read_municipality
from kodomo.errors import ConfigurationFault, StaffError, WrongUsage
from kodomo.governance.register import Register, read_register
from kodomo.intake.column_words import USUAL_ITEMS
from kodomo.intake.layout import Layout, check_against, read_layouts
from kodomo.intake.layout_keys import FIELDS
from kodomo.terms import Purpose

SETTINGS = """\
# {name}の設定。kodomo municipality new が作ったひな形です。★ の付いたところを確かめてください。
code = "000000"                     # ★ 団体コード
name = "{name}"
prefecture = "{prefecture}"                     # ★ 都道府県名(住所を比べるときに使う)
types = ["虐待", "いじめ", "不登校", "ヤングケアラー", "貧困", "産後うつ", "発達障がい"]          # 対象とする困難の類型
purpose = "困難を抱えるこどもと家庭を早期に把握し、支援につなげるため"          # ★ 利用目的

# ★ 人が確かめられる件数。類型ごとの、こどもに対する割合。類型は七つあるので、下の値では重なりを除いてもこどものおよそ 3 割が一覧に挙がる。
# 月に何件まわれるかに合わせて直す。判定のあとは、画面の「枠を変えたら何人か試す」で人数を見て決められる。
[capacity]
high = 0.02
middle = 0.08
band = 0.005                        # 新しいデータがないまま枠から外れたとき、順位がこの割合までの差ならレベルを下げない

[approval]                          # ★ 本番の判定の前に true に: その版を二人が承認した判定基準としきい値だけを使う(kodomo criteria)
required = false

[suppression]                       # 少数の秘匿: この数以下は伏せ、端数を丸める
threshold = 7
rounding = 5

# ★ 地区ごとに事例を絞り込むなら、町丁目より粗い区切り(小学校区など)に名前を付け、入る町名を並べる。丁目・番地は書かない。
# こどもデータベースに入るのは地区の符号だけ。書かない町は、町ごとに名前のない地区になる。次の公表(kodomo publish)から効く。
# [areas]
# "東小学校区" = ["東町", "日の出町"]
"""

OFFICES = """\
# 担当部局・課室。institution は個人情報保護法上の機関(市長部局・教育委員会・水道事業管理者・外部)の別。
# age_bands は、その年齢のこどもの事例を受ける部署に書く(就学前は子育て支援課、学齢はセンターや学校教育課など)。
# ★ 自分の市の課に直してください。code は英小文字で、sources と register から参照します。

[[offices]]
code = "citizens"
name = "住民課"
institution = "市長部局"

[[offices]]
code = "childcare"
name = "子育て支援課"
institution = "市長部局"
age_bands = ["PRESCHOOL"]

[[offices]]
code = "school"
name = "学校教育課"
institution = "教育委員会"
age_bands = ["ELEMENTARY", "JUNIOR_HIGH", "OLDER"]
"""

ITEMS_HEAD = """\
# データ項目の登録簿。受け取らないと決めたものも [[refused]] として載せる。
# ここに載せただけでは何も受け取らない。受け取ってよいかは bases.toml の根拠が決める。
# 下は、人を見分けるために使う項目のひな形。要らないものは消し、判定に使う項目を足す。
"""

BASES = """\
# 法的根拠。ここに根拠のない項目は、列があっても受け取らない。
# 個人情報保護法 61 条・69 条の判断をし、決裁を経てから、# を外して書き込む。

# [[bases]]
# code = "B01"
# basis = "USE_BEYOND_PURPOSE"          # WITHIN_PURPOSE 目的内 / USE_BEYOND_PURPOSE 69条2項2号 / PROVISION 同3号 など
# article = "法第69条第2項第2号"
# items = ["resident_number", "household_number", "name", "name_kana", "birth_date", "sex", "address"]
# purposes = ["LINK", "REVEAL"]          # LINK 名寄せ / JUDGE 判定 / LEARN 学習 / ASSESS アセスメント / REVEAL 氏名の確認
# 判定には、別の根拠で household_number(仮名の世帯の符号になる)・relationship・birth_date・residence・sex に JUDGE と LEARN も要る。
# household_number を忘れると、家族ときょうだいについての指標が、どれも空のままになる。
# nature = "臨時"          # 臨時には終わりの日が要る
# valid_from = 2026-04-01
# valid_to = 2029-04-01          # この日から使えなくなる
# decision_number = ""
# reasonable_grounds = ""          # 69条2項2号・3号では必ず書く
# approved_by = ""
"""

SOURCES = """\
出所ごとに一つ、ファイルの形(レイアウト)を書いた .toml をここに置きます。
  kodomo layout draft 見本のファイル --out sources/名前.toml   下書きをつくる
  kodomo layout check sources/名前.toml 見本のファイル          合うかを確かめる
項目の全部は docs/reference/layout.md、例は docs/how-to/layouts.md にあります。
"""

PARTNERS = """\
# 受け渡し先: 役割ごとに、渡してよい項目(最小限)と、回答票で聞くこと。このファイルがないと、受け渡し票はつくれません。
# items に書けるのは grade(学年) band(年齢区分) goal(いっしょに目指すこと) heed(気を付けること) course(支援の経過)。
# 頼むことは必ず渡す。keeps = true は、渡したものを相手が自分の記録として持つ(廃棄ではなく受け入れの回答で終わる)。
# ★ 自分の市で頼む相手に直してください。図書館やクラブには、学年・目標・気を付けることを渡しません。
# code は一度使ったら別の意味に使わない。質問は、頼まれた人が見たことだけを聞く。家庭の事情を聞き出す質問は書かない。

[[partners]]
code = "SCHOOL"
caption = "学校"
items = ["grade", "goal", "heed"]
questions = ["登校・教室での様子", "学校でしたこと、これからできること"]

[[partners]]
code = "NURSERY"
caption = "保育所・幼稚園・認定こども園"
items = ["band", "goal", "heed"]
questions = ["園での様子", "園でしたこと、これからできること"]

[[partners]]
code = "LIBRARY"
caption = "図書館"
items = ["band"]
questions = ["来館したときの様子"]

[[partners]]
code = "CLUB"
caption = "スポーツ・文化クラブ"
items = ["band"]
questions = ["参加したときの様子"]

[[partners]]
code = "NPO"
caption = "NPO・地域の団体"
items = ["band", "goal", "heed"]
questions = ["会えたときの様子", "したこと、これからできること"]

[[partners]]
code = "CITY"
caption = "ほかの市区町村(移管)"
keeps = true
items = ["band", "goal", "heed", "course"]
questions = ["受け入れた部署と担当の役割", "引き継いで確かめたいこと"]
"""

PROTECTION = "address_protection"
"""The item that every register names so."""

NEEDED = ("settings.toml", "offices.toml", "register/items.toml", "register/bases.toml")


def new_municipality(name: str, prefecture: str, out: Path) -> dict[str, Any]:
    """Write the smallest folder that holds together: settings, offices, an empty register of bases, no sources yet.

    Raises:
        WrongUsage: the folder has something in it already, or the name is empty.
        StaffError: it can't be written.
    """
    if not name.strip() or any(c in name + prefecture for c in '"\\\n'):
        raise WrongUsage("自治体の名前が使えません。", where="--name", then="引用符や改行のない名前を書いてください。")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WrongUsage(
            "空でないフォルダには書きません。", where=str(out), then="新しいフォルダの名前を書いてください。"
        )
    files = {
        "settings.toml": SETTINGS.format(name=name.strip(), prefecture=prefecture.strip()), "offices.toml": OFFICES,
        "register/items.toml": ITEMS_HEAD + _items(), "register/bases.toml": BASES, "sources/README.txt": SOURCES,
        "partners.toml": PARTNERS,
    }  # fmt: skip
    try:
        for path, text in files.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_text(text, encoding="utf-8")
    except OSError as fault:
        raise StaffError(
            "フォルダを作れません。", where=f"{out} ({fault.strerror})", then="書き込める場所を指定してください。"
        ) from None
    return {"folder": str(out), "files": sorted(files)}


def _items() -> str:
    captions: dict[str, str] = {}
    for field, code in USUAL_ITEMS.items():
        captions.setdefault(
            code, "住民となった日・異動など" if code == "residence" else FIELDS[field].partition("(")[0]
        )
    holders = {"school_enrolled": "school", "grade": "school", "own_number": "school"}
    return "".join(
        f'\n[[items]]\ncode = "{code}"\ncaption = "{caption}"\nholder = "{holders.get(code, "citizens")}"\n'
        'sensitivity = "IDENTIFYING"\n'
        for code, caption in captions.items()
    )


def check_municipality(folder: Path) -> dict[str, Any]:
    """Everything that a folder lacks or says wrongly, all at once.

    Returns:
        ``faults`` in Japanese (each with its file), ``remarks``, counts, and ``exit_code`` 3 when there is a fault.
    """
    faults = [f"{name} がありません" for name in NEEDED if not (folder / name).is_file()]
    remarks: list[str] = []
    counts: dict[str, int] = {}
    if not folder.is_dir():
        faults = ["フォルダがありません。kodomo municipality new で作れます"]
    if not faults:
        faults, remarks, counts = _look(folder)
    if not (folder / "criteria").is_dir():
        remarks.append("criteria/ がありません。受領・名寄せまではできます。指標と判定をするときに要ります。")
    if not (folder / "partners.toml").is_file():
        remarks.append("partners.toml がありません。学校・NPO などへの受け渡し票をつくるときに要ります。")
    if (folder / "criteria").is_dir() and not faults and not _needs_approval(folder):
        remarks.append(
            "settings.toml: [approval] required が true でないので、ファイルに承認者二人の名があれば、その版を承認していなくても判定が動きます。"
        )
    return {"folder": str(folder), "faults": faults, "remarks": remarks, **counts, "exit_code": 3 if faults else 0}


def _needs_approval(folder: Path) -> bool:
    said = read_municipality(folder).extras.get("approval")
    return isinstance(said, dict) and said.get("required") is True


def _look(folder: Path) -> tuple[list[str], list[str], dict[str, int]]:
    faults: list[str] = []
    remarks: list[str] = []

    def trying(read: Any) -> Any:
        try:
            return read()
        except ConfigurationFault as fault:
            listed = fault.details.get("faults")
            faults.extend(listed if isinstance(listed, list) else [f"{fault.where}: {fault.what}"])
            return None

    town = trying(lambda: read_municipality(folder))
    register = trying(lambda: read_register(folder))
    layouts = trying(lambda: read_layouts(folder))
    if town and register and layouts is not None:
        offices = [office.code for office in town.offices]
        trying(lambda: check_against(layouts.values(), [*register.items, *register.refused], offices))
    if layouts is not None and not layouts:
        faults.append("sources: レイアウトが一つもありません。kodomo layout draft で下書きをつくれます")
    if layouts and not any(layout.kind == "residents" for layout in layouts.values()):
        remarks.append("住民記録(record の kind が residents)のレイアウトがありません。名寄せには要ります。")
    if register and not (PROTECTION in register.items and register.items[PROTECTION].sources):
        telling = [
            x.source for x in (layouts or {}).values() if any(c.field == PROTECTION and not c.ignore for c in x.columns)
        ]
        then = (
            f"レイアウト {'、'.join(telling)} には支援措置の列があるので、register/items.toml の {PROTECTION} の sources に {'、'.join(telling)} を書いてください。"
            if telling
            else "知らせる出所のレイアウトに支援措置の列(field)を、register/items.toml の sources にその出所を書いてください。"
        )
        remarks.append(
            f"支援措置(DV等)の項目({PROTECTION})を知らせる出所が、登録簿にありません。このままでは、どの家庭も有無を確かめられないので、受け渡し票のすべてに承認者の承認が要ります。{then}"
        )
    if register and not register.bases:
        remarks.append("register/bases.toml に根拠が一つもありません。このままでは、どのファイルも受け取れません。")
    elif register and layouts:
        remarks += _not_judged(register, layouts.values())
    counts = {"sources": len(layouts or ()), "items": len(register.items) if register else 0,
              "bases": len(register.bases) if register else 0}  # fmt: skip
    return faults, remarks, counts


HOME_ITEMS = {
    "household_number": "世帯の符号が公表されず、同居の家族・きょうだい・世帯の生活保護や水道・おとなの人数などの指標が、どのこどもでも空になります",
    "relationship": "親子・きょうだいの関係が公表されず、保護者・母・きょうだいの指標が、どのこどもでも空になります",
    "birth_date": "年齢と学年が分からず、判定できません",
    "residence": "市内に住んでいる期間が公表されず、転入・転居の指標が空になります",
}
"""What nothing but the resident register tells of a child's home, and what is lost without it."""
HOME_FIELDS = {
    "household_number": "household_number", "relationship": "relationship", "born_on": "birth_date", "resident_from": "residence",
}  # fmt: skip


def _not_judged(register: Register, layouts: Iterable[Layout]) -> list[str]:
    """What comes in and no basis lets a judgement use: often an oversight, and silent ever after."""
    there = list(layouts)
    carried = {column.item for layout in there for column in layout.columns if column.item}
    carried |= {fact.item for layout in there for fact in layout.facts}
    held = {item for basis in register.bases if Purpose.JUDGE in basis.purposes for item in basis.items}
    missing = [item for item in HOME_ITEMS if item in carried and item in register.items and item not in held]
    found = [
        f"register/bases.toml: 「{register.caption(item)}」({item})に判定(JUDGE)の根拠がありません。{HOME_ITEMS[item]}。"
        for item in missing
    ]
    for layout in there:
        for column in layout.columns if layout.kind == "residents" else ():
            core = HOME_FIELDS.get(column.field)
            if core and column.item and column.item != core:
                found.append(
                    f"sources/{layout.source}.toml: 列「{column.name}」の項目が {column.item} です。{core} という項目コードでないと、{HOME_ITEMS[core]}。"
                )
    told = {fact.item for layout in there for fact in layout.facts} & set(register.items) - set(register.refused)
    idle = sorted(told - held - set(HOME_ITEMS))
    if held and idle:
        found.append(
            f"register/bases.toml: 事実として受け取る次の項目に、判定(JUDGE)の根拠がありません: {'、'.join(idle)}"
        )
    return found
