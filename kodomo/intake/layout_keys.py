"""Every key a layout file may hold, what it means and what it takes, in words its author reads (identity side).

The one list of keys: the check of layouts, the drafts and the reference page are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass

Kind = type | tuple[type, ...]

KINDS = {
    "observations": "ある人についての記録(既定)",
    "residents": "住民記録の今の姿。宛名番号ごとに一行、消除された人も含む",
    "moves": "異動履歴。event_on の日から、その行のとおりになる",
}
FORMATS = {
    "csv": "区切り文字のある文字ファイル(.csv .txt など)",
    "tsv": "タブ区切りの文字ファイル",
    "xlsx": "表計算ソフトのファイル",
    "xls": "古い表計算ソフトのファイル(97-2003)",
    "fixed": "固定長の文字ファイル(列に position と width を書く)",
}
ENCODINGS = {
    "cp932": "シフトJIS(Windows の日本語)",
    "utf-8": "UTF-8(BOM があってもなくてもよい)",
    "utf-8-sig": "UTF-8(同じ。BOM つきで書き出す製品のため)",
    "utf-16": "UTF-16(BOM を見て、なければ推し量る)",
    "utf-16-le": "UTF-16 リトルエンディアン",
    "utf-16-be": "UTF-16 ビッグエンディアン",
    "euc-jp": "日本語 EUC",
    "iso-2022-jp": "JIS(メールなどの 7 ビット)",
}
ENCODING_ALIASES = {
    "shift-jis": "cp932", "shift_jis": "cp932", "sjis": "cp932", "ms932": "cp932", "windows-31j": "cp932",
    "utf8": "utf-8", "utf16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "utf16le": "utf-16-le", "utf16be": "utf-16-be",
    "eucjp": "euc-jp", "euc_jp": "euc-jp", "eucjp-ms": "euc-jp", "jis": "iso-2022-jp", "iso2022jp": "iso-2022-jp",
}  # fmt: skip
ROLES = {
    "subject": "その行の本人(こども、住民など)",
    "guardian": "保護者",
    "mother": "母",
    "father": "父",
    "household_head": "世帯主",
    "holder": "契約者(水道など、こどもと限らない本人)",
}
TYPES = {
    "text": "文字。書かれたまま",
    "name": "氏名。書かれたまま(比べるときだけ字体をそろえる)",
    "kana": "氏名のカナ",
    "address": "住所",
    "identifier": "番号。先頭の 0 も字のうち",
    "integer": "整数(1,234 △5 3日 も読む)",
    "decimal": "小数のある数",
    "date": "日付。R5.4.1、令和5年4月1日、5050401、20230401、2023/4/1、通し番号など。書き方は書かなくてよい",
    "month": "年月。令和5年4月、2023-04、202304 など",
    "fiscal_year": "年度。2025、令和7年度、R7 など(4 月 1 日から翌年 3 月 31 日)。年月や日付(202502、R7.2.3)なら、それの入る年度",
    "flag": "有無。○× 1・0 有・無 済・未 など",
    "code": "区分。codes に値と意味を書く",
    "sex": "性別。男・女、1・2、M・F など",
}
FIELDS = {
    "resident_number": "宛名番号", "own_number": "出所自身の番号(学籍番号、会員番号など)", "household_number": "世帯番号",
    "name": "氏名", "name_kana": "氏名カナ", "former_name": "旧氏", "alias_name": "通称", "alias_kana": "通称カナ", "born_on": "生年月日",
    "sex": "性別", "address": "住所", "age": "年齢(「1歳7か月」「19か月」のように月まであれば、月まで比べる)", "grade": "学年(「4-2」「4年2組」のように組が続いていてもよい)", "school": "学校・園",
    "class_name": "組・学級", "seat": "組の中の出席番号", "child_born_on": "出産日(母の記録で、生まれた子の生年月日)",
    "relationship": "続柄", "nationality": "国籍", "address_protection": "支援措置(DV等)の有無", "phone": "電話番号",
    "resident_from": "住民となった日", "resident_from_reason": "住民となった事由", "resident_to": "住民でなくなった日",
    "resident_to_reason": "住民でなくなった事由", "event_on": "異動日", "event_kind": "異動事由", "registered_on": "届出日",
    "moved_from": "前住所(比べるためだけに使い、どこにも表示しない。支援措置の人の分は取り込まない)",
    "moved_to": "転出先(同上)",
    "former_number": "前の宛名番号(住民記録と異動にだけ書く。転出して戻り、新しい番号になった人を、前の番号の人と同じ人とする)",
}  # fmt: skip
FOUND_IN = {"file_name": "ファイル名", "sheet_name": "シートの名前", "above": "見出しより上の行"}


@dataclass(frozen=True)
class Key:
    """One key of one part: its kind of value, whether it must be there, its default and its meaning."""

    name: str
    kind: Kind
    words: str
    default: str = ""
    needed: bool = False


TOP = (
    Key("source", str, "出所のコード。英小文字・数字・_。あとから変えない", needed=True),
    Key("caption", str, "出所の名前", needed=True),
    Key("system", str, "印字したシステムの名前", needed=True),
    Key("holder", str, "保有・管理主体。offices.toml の部署コード", needed=True),
    Key("delivery", str, "届き方。SYSTEM(システム連携) MEDIA(媒体) MANUAL(手作業)", "MEDIA"),
    Key("lag_days", int, "登録されてから私たちが知るまでの日数(ファイルの抽出日より後にはしない)", needed=True),
    Key("freshness_days", int, "抽出日から何日たつと古いとみなすか", needed=True),
    Key("ages", list, "この出所に載っているはずのこどもの年齢 [下限, 上限](両端を含む)", "なし"),
    Key("file", dict, "ファイルの形。[file] の表", needed=True),
    Key("record", dict, "行の意味。[record] の表", "なし"),
    Key("columns", list, "列。一列ごとに [[columns]]", needed=True),
    Key("facts", list, "一行が言っていること。一つごとに [[facts]]", "なし"),
    Key("dated", dict, "見出しが年月(R7.4、2025/04 など)の列。[dated] の表", "なし"),
    Key("repeat", list, "同じ形の列の繰り返し(4月〜3月など)。[[repeat]]", "なし"),
    Key("people", list, "一行に何人も書かれているとき。[[people]]", "なし"),
)
FILE = (
    Key("pattern", (str, list), "ファイル名の形。* は何文字でも、? は一文字。並びにすると、どれかに合えばよい", needed=True),
    Key("format", str, "形式", needed=True),
    Key("encoding", str, "文字コード", "cp932"),
    Key("delimiter", str, '区切り文字一つ。"," "\\t" ";" "|" など', "csv は , 、tsv はタブ"),
    Key("quote", str, '引用符。使っていないファイルは ""', '"'),
    Key("sheet", (str, int, list), "シートの名前か、何枚目か(1 から)。* を使うか並びにすると何枚も読む", "1 枚目"),
    Key("transposed", bool, "true: 縦と横を入れ替えて読む(一列に一人、見出しが左端の列にある表)。skip_top は入れ替える前の行の数", "false"),
    Key("skip_top", int, "見出しより上にある行の数(空の行も数える)", "0"),
    Key("find_header", bool, "true: 見出しの行を、列の名前から探す(上の行数が月ごとに違うとき)", "false"),
    Key("header_rows", int, "見出しの段数。0 は見出しなし。2 段以上は上から / でつなぐ(例 欠席/病欠)", "1"),
    Key("skip_below", int, "見出しのすぐ下にある、データでない行の数(単位の行、罫線など)", "0"),
    Key("footer", str, "正規表現。行の最初の空でないセルが合えば、そこでデータは終わり(例 ^合計)", "なし"),
    Key("junk", str, "正規表現。行の最初の空でないセルが合えば、その行だけ読み飛ばす(例 ^(小計|-+)$)", "なし"),
    Key("short_rows", bool, "true: セルの足りない行は、足りない分を空とみなす", "false"),
    Key("positions", str, "固定長の position と width の数え方。byte か character", "byte"),
    Key("record_bytes", int, "改行のない固定長ファイルの、一件のバイト数", "改行で分ける"),
    Key("extracted_on", str, "正規表現。抽出日を ( ) で囲む。日付の書き方は問わない。年・月・日が離れているか二桁の西暦なら ( ) を三つまで", "20250430、R070430、令和7年4月30日、2025年4月(月末)などを探す"),
    Key("extracted_in", str, "抽出日がどこに書かれているか", "file_name"),
)  # fmt: skip
RECORD = (
    Key("kind", str, "行の種類", "observations"),
    Key("row_key", str, "出所自身の識別子の列", "なし"),
    Key("identity", list, "同じ記録だと分かる列の並び。後の行で内容が違えば訂正とみなす", "行全体"),
    Key("skip_when", dict, '取り込まない行の条件。{ "列" = ["意味", …] }。"" は空欄', "なし"),
    Key("only_when", dict, "この条件に合う行だけを取り込む", "なし"),
    Key("withdraw_when", dict, "前に渡した記録を取り消す行の条件(例 削除区分)。identity が要る", "なし"),
)
COLUMN = (
    Key("name", str, "見出しのとおりの名前。見出しがなければ好きな名前", needed=True),
    Key("also", list, "見出しの別の書き方。どれか一つがあればよい", "なし"),
    Key("occurrence", int, "同じ見出しが二つ以上あるとき、左から何番目か。参照は「名前#2」と書く", "1"),
    Key("position", int, "何列目か(1 から)。固定長では、何桁目から始まるか", "見出しで探す。見出しがなければ書いた順"),
    Key("width", int, "固定長の、列の長さ", "なし"),
    Key("type", str, "値の種類", needed=True),
    Key("item", str, "登録簿(register/items.toml)のデータ項目コード", "なし"),
    Key("required", bool, "true: 空なら、その行を差し戻す", "false"),
    Key("optional", bool, "true: 列がまるごとなくてもよい(空とみなす)", "false"),
    Key("codes", dict, '印字された値 → 意味。{ "1" = "有", "2" = "無" }', "なし"),
    Key("other", str, 'codes にない値の意味。"" は空欄とみなす', "差し戻す"),
    Key("blank", str, "空欄の意味(例: ○か空欄の列の空欄は 0)", "分からない"),
    Key("unknown", list, "「分からない」を表す印字の並び", "なし"),
    Key("minimum", (int, float), "これより小さい数は差し戻す", "なし"),
    Key("maximum", (int, float), "これより大きい数は差し戻す", "なし"),
    Key("unit", list, "数のうしろに付く単位の並び。取り除いて読む", "日 回 人 円 歳 cm kg など"),
    Key("digits", int, "番号の桁数。先頭の 0 が落ちた数字を、この桁まで 0 で埋める", "埋めない"),
    Key("era", str, "元号のない 6 桁の日付(050401)の元号。令和、R など", "差し戻す"),
    Key("century", int, "二桁の西暦(23/04/01)の上二桁。19 か 20", "差し戻す"),
    Key("year_from", str, "年のない日付(4/9、4月9日)の年を補う列。年度(fiscal_year)の列なら、1〜3 月は翌年とみなす。日付(date)の列なら、その日までの直近の日とみなす(健診日の隣の出産日など)。年の書かれた日付はそのまま読む", "差し戻す"),
    Key("fiscal", bool, "true: 年は年度。1〜3 月は翌年とみなす(type が month の列か、年度・月・日を join した date の列)", "false"),
    Key("join", list, "いくつかの列をつないで一つの値にする。見出しの名前か、何列目か。日付は 元号・年・月・日 の順。番号(identifier)にするときは、つなぐ列に書いた digits と codes を通した値をつなぐ(校名 1・01・中央小 を同じ番号にできる)。integer と decimal は足し合わせる(病欠と事故欠など)。code か sex で、どれか一つに ●・○ が付く列なら、付いた列の見出しが値になる", "なし"),
    Key("whole", bool, "true: join の列が一つでも空なら、空とみなす(学校・学年・組・番をつないだ番号など)", "空の列をとばしてつなぐ"),
    Key("between", str, "join でつなぐときに間に入れる字", "なし"),
    Key("before", str, "値の前に付ける字", "なし"),
    Key("after", str, "値のうしろに付ける字(例 丁目)", "なし"),
    Key("fill_down", (bool, str), 'true: 空欄と「〃」は上の行と同じ(縦に結合されたセル)。"〃": 「〃」「同上」だけが上の行と同じで、空欄は空欄', "false"),
    Key("value", str, "印字されていない、どの行でも同じ値", "なし"),
    Key("found_in", str, "列でないところから取る。match で場所を示す", "なし"),
    Key("part_of", (str, int), "一つのセルに二つの値があるとき(「中央小 3年」など)、その列の見出しか、何列目か。match で値を取り出す", "なし"),
    Key("match", str, "正規表現。found_in や part_of の中で、値を ( ) 一つで囲む。合わないセルは空とみなす", "なし"),
    Key("when", dict, '条件。{ "列" = ["意味", …] }。合わない行では空とみなす(異動事由が転出・死亡の行の異動日だけを、住民でなくなった日とするなど)', "どの行でも"),
    Key("person", str, "誰のことか", "人を示さない"),
    Key("field", str, "その人の何か", "なし"),
    Key("ignore", str, "受け取らない理由。書けば、この列は読まれない", "なし"),
)  # fmt: skip
FACT = (
    Key("item", str, "データ項目コード", needed=True),
    Key("person", str, "誰についてか", "subject"),
    Key("number", str, "数値の列", "なし"),
    Key("code", str, "区分の列。number も code もなければ、あったこと自体(1)", "なし"),
    Key("constant", str, "決まった区分", "なし"),
    Key("valid_from", str, "始まりの列(date、month、fiscal_year)。ended_on を書くとき以外は必ず書く", "なし"),
    Key(
        "ended_on",
        str,
        "終わりの日の列。前の行で始まったもの(同じ人・同じ item・終わりのないもの)が、この日までだったという行に、valid_from の代わりに書く。code を書けば、同じ区分のものだけを終わらせる",
        "なし",
    ),
    Key("month", (int, str), "valid_from が年度の列のとき、その年度の何月か", "年度の初め"),
    Key("valid_to", str, "終わりの日の列。または month_end(月末) year_end(年度末) same_day(その日)", "まだ続いている"),
    Key(
        "known_from",
        str,
        "登録日の列(年度の列なら、その年度の初めに知ったとみなす)。valid_to が列のときは必ず書く(空欄の行は抽出日から知ったものとする)",
        "期間の終わり",
    ),
    Key("when", dict, '条件。{ "列" = ["意味", …] }。合う行だけ', "なし"),
)
REPEAT = (
    Key("for", list, '繰り返す値の並び。["4","5",…] は {} に、[{ m = "4", t = "四月" }, …] は {m} {t} に入る', needed=True),
    Key("columns", list, "列。{} を含む名前で書く", needed=True),
    Key("facts", list, "その列が言っていること", "なし"),
)  # fmt: skip
DATED = (
    Key("name", str, "見出しの年月が入る列の名前。type が month か date の列として columns に書く。一月ごとに一つの記録になるので、identity にも入れる", needed=True),
    Key("columns", list, '見出しの形。年月のところを {} とする。["{}"]、["{}/欠席", "{}/遅刻"] など。それぞれを columns にも書く', needed=True),
)  # fmt: skip

PARTS: dict[str, tuple[str, tuple[Key, ...]]] = {
    "": ("いちばん上に書くもの", TOP),
    "file": ("[file] ファイルの形", FILE),
    "record": ("[record] 行の意味", RECORD),
    "columns": ("[[columns]] 列", COLUMN),
    "facts": ("[[facts]] 一行が言っていること", FACT),
    "dated": ("[dated] 見出しが年月の列", DATED),
    "repeat": ("[[repeat]] 同じ形の列の繰り返し", REPEAT),
    "people": ("[[people]] 一行に何人も書かれているとき", REPEAT),
}

LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "format": ("file.format", FORMATS),
    "encoding": ("file.encoding", ENCODINGS),
    "kind": ("record.kind", KINDS),
    "type": ("columns.type", TYPES),
    "person": ("columns.person、facts.person", ROLES),
    "field": ("columns.field", FIELDS),
    "found_in": ("columns.found_in、file.extracted_in", FOUND_IN),
}


def encoding_of(word: str) -> str:
    """The encoding a layout's word means, however it is spelt; the word itself when nobody knows it.

    >>> encoding_of("Shift_JIS"), encoding_of("utf8")
    ('cp932', 'utf-8')
    """
    plain = word.strip().lower()
    return ENCODING_ALIASES.get(plain) or ENCODING_ALIASES.get(plain.replace("_", "-")) or plain.replace("_", "-")
