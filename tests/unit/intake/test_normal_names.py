"""Names come out alike however an office wrote them; what cannot be known is said, never guessed silently."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodomo.intake.characters import fold_characters, kanji_classes
from kodomo.intake.make_characters import worked_out
from kodomo.intake.normal_forms.answer import answer
from kodomo.intake.normal_forms.names import DOUBTS, read_name

VARIANTS = ["髙高", "﨑崎", "嵜崎", "邉辺", "邊辺", "齋斎", "齊斉", "斎斉", "澤沢", "濱浜", "濵浜", "廣広", "國国", "櫻桜", "德徳", "瀨瀬", "𠮷吉", "曻昇", "藏蔵", "嶋島", "嶌島", "槇槙", "惠恵", "龍竜", "壽寿", "萬万", "禮礼", "榮栄", "藪薮", "桒桑", "舩船", "舘館", "冨富", "賴頼", "顯顕", "祐祐", "福福", "祥祥", "神神", "都都", "塚塚", "諸諸", "晴晴", "彌弥", "與与", "螢蛍", "鷗鴎", "鹽塩", "豐豊", "邨村", "埜野", "峯峰", "嶽岳", "渊淵", "渕淵", "栁柳", "緖緒", "靑青", "黃黄", "淸清", "眞真", "增増", "橫横", "敎教", "寬寛", "吳呉", "內内", "來来", "亞亜", "傳伝", "兒児", "凉涼", "勳勲", "區区", "嚴厳", "圓円", "壯壮", "奧奥", "學学", "將将", "專専", "帶帯", "彥彦", "從従", "懷懐", "戀恋", "戶戸", "曉暁", "會会", "條条", "檢検", "樂楽", "樣様", "權権", "歡歓", "步歩", "每毎", "氣気", "海海", "溫温", "滿満", "濟済", "爲為", "狹狭", "猪猪", "獨独", "產産", "當当", "盡尽", "稻稲", "穗穂", "粹粋", "絲糸", "經経", "總総", "綠緑", "縣県", "聰聡", "肅粛", "臺台", "舊旧", "莊荘", "薗園", "藝芸", "藥薬", "裝装", "覺覚", "觀観", "譽誉", "讓譲", "賣売", "輕軽", "轉転", "遙遥", "鄕郷", "鐵鉄", "關関", "隆隆", "隨随", "雜雑", "靈霊", "響響", "顏顔", "驛駅", "鷄鶏", "麥麦", "龜亀", "讚讃", "濤涛", "曾曽", "鴈雁", "恆恒", "愼慎", "應応", "敏敏", "旣既", "晄晃", "枩松", "杤栃", "𣘺橋", "槗橋", "瀧滝", "珎珍", "疊畳", "禱祷", "籏旗", "繩縄", "翆翠", "艷艶", "蔣蒋", "薰薫", "衞衛", "觸触", "郞郎", "錄録", "靜静", "頸頚", "飜翻", "黑黒", "鼓皷", "𡈽土", "劍剣", "劔剣", "寳宝", "寶宝", "昻昂", "桝枡", "驒騨", "麴麹", "檮梼", "呂吕", "圡土", "夘卯", "夛多", "穐秋", "龝秋", "蘓蘇", "虎乕", "㐂喜", "峽峡", "巖巌"]  # fmt: skip

LOOK_ALIKES = [
    "玉王",
    "崎埼",
    "吊弔",
    "土士",
    "晴春",
    "裕祐",
    "茅萱",
    "杉椙",
    "太大",
    "末未",
    "己巳",
    "季秀",
    "妹姉",
    "坂阪",
    "岩巌",
    "庄荘",
    "畑畠",
    "堀掘",
    "菅管",
    "笹篠",
    "汐潮",
    "冶治",
    "千干",
    "刀力",
    "人入",
    "呂侶",
    "紀記",
    "智知",
    "幸行",
    "浩洋",
    "郁都",
    "巨臣",
]


@pytest.mark.parametrize("pair", VARIANTS)
def test_variant_characters_are_one(pair: str) -> None:
    assert fold_characters(pair[0]) == fold_characters(pair[1]), pair


@pytest.mark.parametrize("pair", LOOK_ALIKES)
def test_look_alikes_that_are_other_names_stay_apart(pair: str) -> None:
    assert fold_characters(pair[0]) != fold_characters(pair[1]), pair


def test_shipped_table_is_the_one_worked_out_from_the_national_map() -> None:
    assert kanji_classes() == worked_out()
    assert all(kanji_classes().get(ord(chosen), chosen) == chosen for chosen in set(kanji_classes().values()))


# text: (value, family, given, doubts)
NAMES = {
    "髙﨑　惠子": ("高崎 恵子", "高崎", "恵子", []), "渡邉 𠮷江": ("渡辺 吉江", "渡辺", "吉江", []), "葛󠄀城 一郎": ("葛城 一郎", "葛城", "一郎", []),
    "山田　太郎": ("山田 太郎", "山田", "太郎", []), "山田  太郎 ": ("山田 太郎", "山田", "太郎", []), "山田_太郎": ("山田 太郎", "山田", "太郎", []),
    "山田 太郎 様": ("山田 太郎", "山田", "太郎", []), "山田 太郎様": ("山田 太郎", "山田", "太郎", []), "山田 太郎さん": ("山田 太郎", "山田", "太郎", []),
    "山田 太郎くん": ("山田 太郎", "山田", "太郎", []), "山田 花子ちゃん": ("山田 花子", "山田", "花子", []), "山田 太郎 君": ("山田 太郎", "山田", "太郎", []),
    "山田太郎": ("山田 太郎", "山田", "太郎", ["by_surname"]), "長谷川誠": ("長谷川 誠", "長谷川", "誠", ["by_surname"]), "東海林太郎": ("東海林 太郎", "東海林", "太郎", ["by_surname"]),
    "髙橋花子": ("高橋 花子", "高橋", "花子", ["by_surname"]), "鶫野森花子": ("鶫野森花子", "", "", ["one_word"]), "佐藤": ("佐藤", "", "", ["one_word"]), "中村": ("中村", "", "", ["one_word"]), "長谷川の子": ("長谷川", "長谷川", "", ["unnamed"]),
    "〓田 花子": ("〓田 花子", "〓田", "花子", ["unreadable"]), "?田 花子": ("〓田 花子", "〓田", "花子", ["unreadable"]), "\ue000田 花子": ("〓田 花子", "〓田", "花子", ["unreadable"]),
    "●田 花子": ("〓田 花子", "〓田", "花子", ["unreadable"]), "*田 花子": ("〓田 花子", "〓田", "花子", ["unreadable"]), "□田 花子": ("〓田 花子", "〓田", "花子", ["unreadable"]),
    "■田 花子": ("〓田 花子", "〓田", "花子", ["unreadable"]), "＿田 花子": ("〓田 花子", "〓田", "花子", ["unreadable"]), "\ufffd田 花子": ("〓田 花子", "〓田", "花子", ["unreadable"]),
    "山田 花子(旧姓 佐藤)": ("山田 花子", "山田", "花子", ["former"]), "山田 花子【旧姓:佐藤】": ("山田 花子", "山田", "花子", ["former"]), "山田 花子 旧姓佐藤": ("山田 花子", "山田", "花子", ["former"]),
    "李 明（通称 山本 明）": ("李 明", "李", "明", ["alias"]), "山田 花子（ヤマダ　ハナコ）": ("山田 花子", "山田", "花子", []), "山田 花子(母)": ("山田 花子", "山田", "花子", ["bracketed"]),
    "ヤマダ ハナコ": ("ヤマダ ハナコ", "ヤマダ", "ハナコ", []), "ﾔﾏﾀﾞ ﾊﾅｺ": ("ヤマダ ハナコ", "ヤマダ", "ハナコ", []), "やまだ はなこ": ("ヤマダ ハナコ", "ヤマダ", "ハナコ", []),
    "山田 はな子": ("山田 はな子", "山田", "はな子", []), "ジョン・スミス": ("ジョン スミス", "ジョン", "スミス", ["order"]), "金 マリア 花子": ("金 マリア 花子", "金", "マリア 花子", ["many_words"]),
    "NGUYEN, VAN A": ("NGUYEN VAN A", "NGUYEN", "VAN A", []), "Nguyễn, Văn A": ("NGUYEN VAN A", "NGUYEN", "VAN A", []), "ＮＧＵＹＥＮ，ＶＡＮ　Ａ": ("NGUYEN VAN A", "NGUYEN", "VAN A", []),
    "NGUYEN VAN A": ("NGUYEN VAN A", "NGUYEN", "VAN A", ["order"]), "José DELA CRUZ": ("JOSE DELA CRUZ", "JOSE", "DELA CRUZ", ["order"]), "O'Brien, Anne-Marie": ("OBRIEN ANNE MARIE", "OBRIEN", "ANNE MARIE", []),
    "Đặng, Thị Hoa": ("DANG THI HOA", "DANG", "THI HOA", []), "Mr. John Smith": ("JOHN SMITH", "JOHN", "SMITH", ["order"]), "MADONNA": ("MADONNA", "", "", ["one_word"]),
    "Łukasz, Jan": ("LUKASZ JAN", "LUKASZ", "JAN", []), "Müller, Jörg": ("MULLER JORG", "MULLER", "JORG", []), "Weiß, Åsa": ("WEISS ASA", "WEISS", "ASA", []),
    "山田 ベビー": ("山田", "山田", "", ["unnamed"]), "山田 未定": ("山田", "山田", "", ["unnamed"]), "山田（未定）": ("山田", "山田", "", ["unnamed"]), "山田 新生児": ("山田", "山田", "", ["unnamed"]),
    "山田 女児": ("山田", "山田", "", ["unnamed"]), "山田 第一子": ("山田", "山田", "", ["unnamed"]), "山田 花子の子": ("山田", "山田", "", ["unnamed", "parent_only"]),
    "山田 花子ベビー": ("山田", "山田", "", ["unnamed", "parent_only"]), "山田 花子の第2子": ("山田", "山田", "", ["unnamed", "parent_only"]), "Baby of SMITH, Anne": ("SMITH", "SMITH", "", ["unnamed", "parent_only"]),
    "ベビー": (None, "", "", ["unnamed"]), "未定": (None, "", "", ["unnamed"]), "不明": (None, "", "", ["unknown"]), "氏名不詳": (None, "", "", ["unknown"]), "匿名": (None, "", "", ["unknown"]),
    "NULL": (None, "", "", ["unknown"]), "-": (None, "", "", ["unknown"]), "〃": (None, "", "", ["unknown"]), "株式会社テスト": ("株式会社テスト", "", "", ["organisation"]),
    "ひなた保育園": ("ひなた保育園", "", "", ["organisation"]), "123": (None, "", "", ["not_a_name"]), "!!!": (None, "", "", ["not_a_name"]), "🏠": (None, "", "", ["not_a_name"]), "": (None, "", "", []),
    "亡 山田 太郎": ("山田 太郎", "山田", "太郎", ["dead"]), "故　山田太郎": ("山田 太郎", "山田", "太郎", ["dead", "by_surname"]), "故山 太郎": ("故山 太郎", "故山", "太郎", []),
    "世帯主 山田 太郎": ("山田 太郎", "山田", "太郎", []), "保護者:山田 花子": ("山田 花子", "山田", "花子", []), "氏名　山田 花子": ("山田 花子", "山田", "花子", []), "本人 一郎": ("本人 一郎", "本人", "一郎", []),
    "山田 太郎 他2名": ("山田 太郎", "山田", "太郎", ["others"]), "山田太郎外１名": ("山田 太郎", "山田", "太郎", ["others", "by_surname"]), "山田 太郎 ほか三人": ("山田 太郎", "山田", "太郎", ["others"]), "中村 他": ("中村 他", "中村", "他", []),
    "グエン・ティ・ホア": ("グエン ティ ホア", "グエン", "ティ ホア", ["order", "many_words"]),
    "山田 太郎2": ("山田 太郎2", "山田", "太郎2", ["has_digits"]), "佐々木 希": ("佐々木 希", "佐々木", "希", []), "一ノ瀬 蓮": ("一ノ瀬 蓮", "一ノ瀬", "蓮", []),
}  # fmt: skip


@pytest.mark.parametrize("text", NAMES)
def test_name_is_read_with_its_doubts(text: str) -> None:
    found = read_name(text)
    doubts = [d for d in found.doubts if d != "one_word" or found.value or "one_word" in NAMES[text][3]]
    assert (found.value, found.family, found.given, doubts) == NAMES[text]


@pytest.mark.parametrize(
    ("text", "part", "told"),
    [("山田 花子(旧姓 佐藤)", "former", "佐藤"), ("李 明（通称 山本 明）", "alias", "山本 明"), ("山田花子（ヤマダ　ハナコ）", "kana", "ヤマダ ハナコ"),
     ("山田 花子の子", "parent", "山田 花子"), ("山田 花子(髙橋)", "other", "高橋")],
)  # fmt: skip
def test_what_is_added_to_a_name_stands_in_its_parts(text: str, part: str, told: str) -> None:
    assert answer("name", text).parts[part] == told


def test_a_name_in_kana_is_compared_as_kana_with_a_dot_too() -> None:
    found = read_name("グエン・ティ・ホア")
    assert (found.script, found.key) == ("kana", read_name("グエン　ティ　ホア").key)


def test_order_of_a_romanised_name_makes_no_difference_to_its_key() -> None:
    assert read_name("NGUYEN, VAN A").key == read_name("Van A Nguyen").key == read_name("ｎｇｕｙｅｎ　ｖａｎ　ａ").key


CHARACTERS = st.sampled_from("山田川村佐藤鈴木高橋渡辺斎沢浜広国桜徳太郎花子一二美香優真翔陽菜々")


@given(st.text(CHARACTERS, min_size=1, max_size=3), st.text(CHARACTERS, min_size=1, max_size=3), st.data())
def test_variants_width_and_spaces_make_no_difference(family: str, given_: str, data: st.DataObject) -> None:
    classes: dict[str, list[str]] = {}
    for code, chosen in kanji_classes().items():
        classes.setdefault(chosen, []).append(chr(code))
    swapped = "".join(
        data.draw(st.sampled_from([c, *classes.get(fold_characters(c), [])])) for c in f"{family}　{given_}"
    )
    selected = "".join(c + data.draw(st.sampled_from(["", "\U000e0100", "\ufe00"])) for c in swapped)
    assert read_name(selected).value == read_name(f"{family} {given_}").value


@given(st.text(max_size=80))
def test_any_text_is_answered(text: str) -> None:
    found = answer("name", text)
    assert found.value or found.doubts
    assert all(d in DOUBTS for d in read_name(text).doubts)
    if found.value:
        assert answer("name", found.value).value == found.value


def test_composed_and_decomposed_names_are_one() -> None:
    assert read_name(unicodedata.normalize("NFD", "José, Ángel")) == read_name("José, Ángel")
