"""What printed column names usually mean in municipal extracts: whose they are, which field, which kind (identity side)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from kodomo.intake.individual_number import is_offices_own
from kodomo.intake.normalise import HIRAGANA_TO_KATAKANA


@dataclass(frozen=True)
class Meaning:
    """What a column's name says. Every part may be empty: the name says nothing about it."""

    person: str = ""
    field: str = ""
    type: str = ""
    ignore: str = ""
    is_record_number: bool = False
    is_bare: bool = False
    """Names a person and nothing of theirs: whether it holds names, the values must tell."""


ROMAJI = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"^JKY", "受給者"), (r"^JD", "児童"), (r"HOGOSYA|HOGOSHA", "保護者"), (r"SETAI(NUSHI|NUSI)", "世帯主"), (r"JUKYUSHA|JYUKYUSYA", "受給者"),
        (r"JIDOU?|KODOMO|SEITO|ENJI", "児童"), (r"HAHA(OYA)?", "母"), (r"CHICHI(OYA)?|TITI", "父"),
        (r"KOJIN(?=NO|BANG)", "個人"), (r"ATENA|JUMIN|JYUMIN|KOJIN(?=(CD|CODE|KODO))", "宛名"), (r"SETAI", "世帯"),
        (r"BANG(OU?|O)|(?<=[宛帯名人])(NO|CD|CODE|KODO|ID)$", "番号"),
        (r"(SHI|SI)MEI(?=KANA)|(FURI|HURI)GANA|YOMIGANA", "フリガナ"), (r"(?<=フリガナ)KANA", ""),
        (r"KANASHIMEI|KANASIMEI|^KANA$|KANA$", "カナ"), (r"(SHI|SI)MEI|NAMAE|^NAME$|KANJIMEI", "氏名"),
        (r"(SEI|UMARE)NEN(GAP+I|GATUPI|TSUKIHI)|BIRTH_?(DATE|DAY)?|^DOB$", "生年月日"), (r"SEIBE(TSU|TU)|(?<![A-Z])SEX$|GENDER", "性別"),
        (r"J(U|YU|YUU|UU)(SHO|SYO)|ADDRESS|^ADDR", "住所"), (r"ZOKUGARA|TSUZUKIGARA", "続柄"), (r"GAKUNEN", "学年"),
        (r"GAKKOU?(MEI)?", "学校名"), (r"NENREI|^AGE$", "年齢"), (r"DENWA(BANGOU?)?|^TEL$|^PHONE$", "電話番号"),
        (r"(?<![A-Z])ATE(?=NO)", "宛名"), (r"ZKG(?=CD$|$)", "続柄"), (r"(?<=[一-龠])BYMD|^BYMD$", "生年月日"),
        (r"KN(SHI|SI)$|KANASHI$", "カナ氏名"), (r"KJ(SHI|SI)$|KANJI(SHI|SI)$", "漢字氏名"), (r"(?<=者)N$", "氏名"), (r"ADDR$", "住所"),
        (r"^SHORI", "処理"), (r"^KAISHI", "開始"), (r"^HAISHI", "廃止"), (r"^KOFU", "交付"), (r"^SHIKYU", "支給"), (r"(?<=.)YM$", "年月"),
        (r"(?<=.)KBN?$", "区分"), (r"KNGK$", "金額"), (r"IDOU?(BI|YMD|NENGAPPI)", "異動日"), (r"IDOU?(JIYU|JIYUU)", "異動事由"),
        (r"(?<=.)(NENGAPPI|YMD|BI|DATE)$", "日"),
    )
)  # fmt: skip
"""Names of columns that old systems print in capital letters, in the words below."""

IN_KANA = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        ("セイネンガッ?ピ", "生年月日"), ("セイベツ", "性別"), ("ジュウ?ショ", "住所"), ("アテナ", "宛名"), ("セタイヌシ", "世帯主"),
        ("セタイ", "世帯"), ("バンゴウ", "番号"), ("ホゴシャ", "保護者"), ("ジドウ", "児童"), ("ゾクガラ|ツヅキガラ", "続柄"),
        ("ガクネン", "学年"), ("ガッコウ", "学校"), ("ネンレイ", "年齢"), ("デンワ", "電話"), ("(?<=者|童)シメイ", "氏名"),
    )
)  # fmt: skip
"""The same of systems that print their headers in kana; シメイ alone stands above readings."""

CHILD = re.compile(
    r"児童生徒|対象児童?|児童|生徒|園児|乳幼児|こども|子ども|子供|^児|^利用児|^子(?=氏|の|生|カ|番)|^お子|被接種者|受診児|本人|妊婦|被保険者|世帯員|受給児"
)
GUARDIAN = re.compile(
    r"保護者(?![父母]$)|納付義務者|納入義務者|口座名義|親権者|受給者|受給資格者|申請者|依頼者|養育者|扶養義務者|親(氏|の|名)"
)
MOTHER = re.compile(r"^母(?!子)|母親|産婦|保護者母$")
FATHER = re.compile(r"^父|父親|保護者父$")
HEAD = re.compile(r"世帯主|筆頭者")
HOLDER = re.compile(r"契約者|使用者|使用場所|給水|名義人|水栓|お客[さ様]ま?")

STAFF = re.compile(
    r"担当|記入者|入力者|職員|相談員|医師|担任|ケースワーカー|(?<!育児)支援者|訪問者|教諭|来談者|届出人|申込者|通報者|届出者"
)
FINDING = re.compile(r"(所見|判定|診断|結果|区分|意見)$")
"""What a doctor found, not who the doctor is."""
FREE_TEXT = re.compile(
    r"備考|メモ|内容|概要|記述$|感想|顛末|経過|所見|特記|コメント|理由詳細|(申請|相談|申立|欠席)の?理由$|自由記述|摘要|様子詳細|相談記録|記録$|気になった|気になる|気づき|ひとこと|時の様子"
)
OTHER_PERSON = re.compile(
    r"^(夫|妻|配偶者|パートナー|内縁|同居人|同居者|祖父|祖母|兄|姉|弟|妹|きょうだい|紹介者|緊急連絡先氏名)"
)
"""People of whom a record can say nothing that would find them; their names aren't the row's own."""
FORMER_PLACE = re.compile(
    r"^(旧|前|従前|元の?|転入前|転出先|転出前|転居前|異動前|本籍|送付先|勤務先|実家|里帰り先?|病院|施設)"
)
"""Addresses at which the row's person doesn't live."""
FORMER = r"^(旧|前|従前|元|異動前|転入前|転出前|転居前|再転入前)の?"
FORMER_HOUSEHOLD = re.compile(rf"{FORMER}世帯")
FORMER_NUMBER_HINT = "前の番号。住民記録と異動でだけ使う(いまの番号の人と、前の番号の除票の人が同じ人と分かる)"
OTHER_PLACE_OF_REGISTER = re.compile(
    r"^(前|旧|従前の?|転入前の?|転居前の?|異動前の?|転出先の?)(住所|居所|住所地)(?!.*(コード|CD|カナ|番号))"
)
"""In the register itself: where somebody lived before, or moved to."""
REGISTERS_OTHER_PLACE = re.compile(r"^(転出先|前住所|転入前)")
OTHER_PLACE_HINT = "いまの住所でない。住民記録なら、ここを消して field を moved_to(転出先)か moved_from(前住所)にすると、契約者の照合に使える"
ALONE = re.compile(
    r"^(保護者[父母]?|納[付入]義務者|親権者|受給者|受給資格者|申請者|世帯主|契約者|使用者|名義人|母親?|父親?|対象児|(対象|被害)?(児童|生徒|児童・?生徒|園児|幼児|こども|子ども|子供)第?[1-9]?|参加者|参加児童|会員|お子さま?|本人)$"
)
"""Words that stand above people's names without saying 氏名."""
MONEY = re.compile(r"金額|月額|年額|所得|収入|口座(?!名義)|調定額|料金|税額|手当額|振込|負担額|滞納額")
OF_STAFF = "職員などの氏名は使わない"
NOTES = "自由記述は受け取らない(必要最小限)"
AMOUNT = "金額は受け取らない(必要最小限。使うなら消して item を書く)"
NUMBER_BAN = re.compile(r"個人番号|マイナンバー|住民票コード|法人番号")

READING = r"(カナ|かな|ヨミ|よみ|読み|フリガナ|ふりがな|シメイ)"
PERSON_WORD = r"(氏名|名前|お名前|お?なまえ|ナマエ|口座名義(人|者)?|児童名|生徒名|園児名|保護者名|世帯主名|契約者名|使用者名|受給者名|会員名|利用者名|氏名漢字)"

FIELDS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), field, kind)
    for pattern, field, kind in (
        (r"旧氏|旧姓", "former_name", "name"),
        (rf"通称.*{READING}", "alias_kana", "kana"),
        (r"通称", "alias_name", "name"),
        (rf"{FORMER}(宛名|住民|個人|庁内)(番号|コード|NO|No|ID|CD)", "former_number", "identifier"),
        (
            r"(宛名|住民|庁内|統合宛名|住基)(番号|コード|NO|No|ID|CD)|個人(コード|CD|ID)|宛名$",
            "resident_number",
            "identifier",
        ),
        (r"世帯(番号|コード|NO|ID|CD)", "household_number", "identifier"),
        (r"^(個人|健診者|接種者|母子)(NO|No)$|^母子番号$", "own_number", "identifier"),
        (
            r"(学籍|生徒|児童|園児|会員|利用者|被保険者|患者|手帳|水栓|お客様|使用者|契約|在籍|健管|健康(管理)?|住登外)(者)?(番号|コード|NO|ID)",
            "own_number",
            "identifier",
        ),
        (rf"{READING}|^(セイ|メイ|せい|めい|姓カナ|名カナ|シ|氏カナ)$", "name_kana", "kana"),
        (r"(生年月日|誕生日|出生日|出生年月日|生年月日西暦|生まれた日)", "born_on", "date"),
        (r"性別|せい別|せいべつ|男女|^性$", "sex", "sex"),
        (r"^月齢$", "age", "text"),
        (r"年齢|年令|年れい|ねんれい|^(歳|才|とし|トシ)$|歳児(クラス|組|区分)?$", "age", "integer"),
        (r"^(現)?学年([-‐−・]?(組|学級|クラス))?$|^年[-‐−・]?組$", "grade", "integer"),
        (
            r"学校(コード|CD|番号)$|(在籍|所属)?(学校|小学校|中学校|(?<![登通降退])園|保育所|保育園|幼稚園|(?<![登])校)(名|名称)?$|^在籍(校|園)?$|^所属$",
            "school",
            "text",
        ),
        (r"続柄", "relationship", "text"),
        (r"国籍|(日本人|外国人)住?民?区分", "nationality", "code"),
        (r"支援措置|抑止|秘匿", "address_protection", "flag"),
        (r"電話|TEL|携帯|連絡先", "phone", "text"),
        (r"住民となった(日|年月日)|住民日|住定日", "resident_from", "date"),
        (r"住民となった(事由|理由)", "resident_from_reason", "text"),
        (r"消除(日|年月日)|住民でなくなった(日|年月日)", "resident_to", "date"),
        (r"消除(事由|理由)|住民でなくなった(事由|理由)", "resident_to_reason", "text"),
        (r"異動(年月)?日", "event_on", "date"),
        (r"異動(事由|区分|理由)", "event_kind", "code"),
        (
            rf"{PERSON_WORD}|^(姓|名|氏|苗字|名字)$|(?<!学校)(?<!園)(^|児|子|母|父|本人|世帯員)氏?名$|^(よび名|呼び名|呼名|よびな|愛称|ニックネーム|あだ名)$",
            "name",
            "name",
        ),
        (
            r"(住所|居所|居住[地字]|所在地|使用場所|設置場所|給水場所|番地|町名|丁目|方書|都道府県|市区町村|町字|地番|現住|お?住まい|お?すまい|住んでいる)(?!.*(コード|CD))",
            "address",
            "address",
        ),
    )
)

NOT_A_PERSONS_NAME = re.compile(
    r"(学校|校|園|クラブ|施設|機関|病院|医院|事業所|種別|種類|接種|品|科目|障害|傷病|制度|事業|町|区|地区|団体|会場)名"
)
RECORD_NUMBER = re.compile(r"(番号|No\.?|NO\.?|ID|管理コード|整理コード)$|^(No\.?|NO\.?)$", re.I)
BARE_NUMBER = re.compile(r"(No\.?|NO\.?|番号|連番|通番|項番|行番号)$")
"""A number of nothing in particular: it may only count the rows."""
NOT_AN_IDENTIFIER = re.compile(r"出席番号|郵便番号|電話番号|口座番号|枝番|回数|学級番号|組番号|^項目番号")
GRADE_IN_CELL = "([小中高][学校]*[1-9１-９一二三四五六]|[1-9１-９一二三四五六]年|年[長中少])"
"""A grade in a cell that may tell an age instead."""
DATE_WORD = re.compile(r"(日|年月日|期限|日付|日にち)$|^(開始|終了|支給開始|支給終了|から|まで)$|(開始|終了)$")
MONTH_WORD = re.compile(r"年月$|(?<!\d)月(分|度)?$")
YEAR_WORD = re.compile(r"年度$")
CODE_WORD = re.compile(
    r"区分|種別|種類|状況|状態|結果|判定|事由|理由(?!不明)|コード$|CD$|フラグ|有無|可否|等級|程度|主訴|課題|要件|資格|立場|受診|種$|別$|該当|時期|経路|態様|精密|分類|食事|様子|反応|段階|要否|ランク|学級|婚姻|気持ち|対応$|処置$|措置$|言語|運動|行動|既往|相談相手|(支援|協力)者$|控除|加算|不安"
)
IS_OR_NOT = re.compile(r"有無|有$|フラグ|^要|別居|同居|通級|加算|該当|予告|控除|非課税$|免除|差止|加配")
"""Where 0 and 1 mean no and yes."""
STARTS = re.compile(
    r"開始|登録日|実施日|受診日|健診日|接種日|交付日|認定日|相談日|来室日|受付日|認知日|発生日|届出日|日付|年月|入所日|入園日"
)
ENDS = re.compile(r"終了|廃止|終結|返還|退所|退園|喪失|満了|解除日|まで|取消|取り消し|復帰|解消日|失効|消滅")
REGISTERED = re.compile(r"入力日|登録日|処理日|決定日|認定日|報告日|更新日|決裁日")

USUAL_ITEMS = {
    "resident_number": "resident_number", "household_number": "household_number", "name": "name", "name_kana": "name_kana",
    "former_name": "former_name", "alias_name": "alias_name", "alias_kana": "alias_name", "born_on": "birth_date", "sex": "sex", "address": "address",
    "relationship": "relationship", "nationality": "nationality", "address_protection": "address_protection",
    "school": "school_enrolled", "grade": "grade", "class_name": "grade", "seat": "grade", "child_born_on": "birth_date", "age": "age", "phone": "phone", "own_number": "own_number",
    "moved_from": "address", "moved_to": "address", "resident_from": "residence", "resident_from_reason": "residence", "resident_to": "residence",
    "former_number": "resident_number", "resident_to_reason": "residence", "event_on": "residence", "event_kind": "residence", "registered_on": "residence",
}  # fmt: skip
"""The item codes that ``kodomo municipality new`` puts into the register for the fields of a person."""


def plain(header: str) -> str:
    """A header in one width and in Japanese words, without spaces and brackets' content kept in place."""
    name = unicodedata.normalize("NFKC", header)
    if name.isascii() and re.fullmatch(r"[A-Za-z][A-Za-z0-9_ .-]*", name):
        name = _from_romaji(name)
    elif re.fullmatch(r"[ぁ-ゖァ-ヺー\s()]+", name):
        in_kana = name.translate(HIRAGANA_TO_KATAKANA)
        read = in_kana
        for pattern, word in IN_KANA:
            read = pattern.sub(word, read)
        name = name if read == in_kana else read
    return re.sub(r"[\s_・()【】\[\]「」*※]", "", name)


def _from_romaji(name: str) -> str:
    """SEINENGAPPI → 生年月日; what no word fits stays as it is printed."""
    found = re.sub(r"[\s_.-]", "", name.upper())
    for pattern, word in ROMAJI:
        found = pattern.sub(word, found)
    return found if not found.isascii() else name


def role_of(header: str) -> str:
    """Whose a column is by its name alone; empty when it doesn't say."""
    name = plain(header)
    for pattern, role in ((HEAD, "household_head"), (GUARDIAN, "guardian"), (HOLDER, "holder"), (MOTHER, "mother"),
                          (FATHER, "father"), (CHILD, "subject")):  # fmt: skip
        found = pattern.search(name)
        # 児童との続柄 tells who the other one is to the child, 児の宛名番号 whose number it is.
        if found and not name[found.end() :].startswith("との"):
            return role
    return ""


def meaning_of(header: str) -> Meaning:
    """What a printed name says about its column."""
    name = plain(header)
    lowest = name.rsplit("/", 1)[-1]
    if is_offices_own(name):
        return Meaning(role_of(name), "own_number", "identifier")
    if NUMBER_BAN.search(name):
        return Meaning(type="identifier", ignore="個人番号は受け取れない")
    if re.search(r"郵便番号|〒", name):
        return Meaning(type="text", ignore="住所で足りる")
    if STAFF.search(name) and not FINDING.search(lowest):
        return Meaning(type="text", ignore=OF_STAFF)
    if FREE_TEXT.search(lowest) and not re.search(r"区分|種別", lowest):
        return Meaning(type="text", ignore=NOTES)
    if ALONE.search(lowest):
        return Meaning(role_of(name), "name", "name", is_bare=True)
    for text in dict.fromkeys((lowest, name)):
        for pattern, field, kind in FIELDS:
            if pattern.search(text) and not (field == "name" and NOT_A_PERSONS_NAME.search(text)):
                return Meaning(role_of(name), field, kind, _not_the_rows(name, field))
    if MONEY.search(name):
        return Meaning(type="integer", ignore=AMOUNT)
    if re.search(r"届出(年月)?日", name) and not re.search(r"妊娠", name):
        return Meaning(type="date")
    is_number = bool(RECORD_NUMBER.search(name)) and not NOT_AN_IDENTIFIER.search(name)
    return Meaning(role_of(name), "", "identifier" if is_number else "", is_record_number=is_number)


def _not_the_rows(name: str, field: str) -> str:
    """Why a column of somebody else, or of another place, is left out; empty for the row's own."""
    if OTHER_PERSON.search(name):
        return "この行の人でない人のこと。誰のことか(person)を決められるなら消して書く"
    if field == "former_name" and re.search(READING, name):
        return "旧氏のよみは使わない"
    if field in ("born_on", "resident_from", "resident_to") and re.search(r"フラグ|不詳", name):
        return "日が分からないことの印。日の列がそう読まれるので使わない"
    if field == "household_number" and FORMER_HOUSEHOLD.search(name):
        return "前の世帯の番号。世帯の移り変わりは、住民記録と異動から得る"
    if field == "address" and FORMER_PLACE.search(name):
        return OTHER_PLACE_HINT if REGISTERS_OTHER_PLACE.search(name) else "いまの住所でない"
    return ""


def is_known(header: str) -> bool:
    """Whether a printed name is one that municipal extracts use: for telling a header from data."""
    name = plain(header)
    said = meaning_of(header)
    words = (DATE_WORD, MONTH_WORD, YEAR_WORD, CODE_WORD, FREE_TEXT, MONEY)
    return bool(said.field or said.ignore or said.is_record_number or any(w.search(name) for w in words)) or bool(
        re.search(
            r"(数|日数|回数|点|組|名|学級|体重|身長|番|欠席|遅刻|早退|率|量|段|合計|[1-9１-９]?[0-2０-２]?月)$", name
        )
    )
