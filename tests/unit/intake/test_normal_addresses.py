"""Addresses of all Japan come out alike however an office writes them; what the register doesn't know is said."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kodomo.intake.addresses import DOUBTS, NO_ADDRESS, normalise_address, outside_own, read_address
from kodomo.intake.normal_forms.answer import answer
from kodomo.intake.normalise_columns import addresses_of
from kodomo.intake.towns.folding import in_kanji, kanji_number, place_key
from kodomo.intake.towns.register import register

WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
DASHES = "-－‐−―ー–—~～"


def numbers_written(a: int, b: int, c: int) -> list[str]:
    """One 丁目・番・号 in the notations of offices."""
    kanji = [in_kanji(n) for n in (a, b, c)]
    return [
        *(f"{a}{d}{b}{d}{c}" for d in DASHES), f"{a}-{b}-{c}".translate(WIDE), f"{a}丁目{b}番{c}号", f"{a}丁目{b}番{c}号".translate(WIDE),
        f"{a}丁目{b}番地{c}", f"{a}丁目{b}番地の{c}", f"{a}丁目{b}番地{c}号", f"{a}丁目{b}-{c}", f"{a}丁目{b}番{c}", f"{a}の{b}の{c}", f"{a}ノ{b}ノ{c}",
        f"{kanji[0]}丁目{kanji[1]}番{kanji[2]}号", f"{kanji[0]}丁目{kanji[1]}番地の{kanji[2]}", f"{kanji[0]}丁目{b}番{c}号", f"{kanji[0]}丁目{b}-{c}",
        f"{kanji[0]}の{kanji[1]}の{kanji[2]}", "－".join(kanji), "ー".join(kanji), f"{a} 丁目 {b} 番 {c} 号", f"{a:02d}-{b:02d}-{c:02d}", f"　{a}-{b}-{c}", f"{a}/{b}/{c}",
    ]  # fmt: skip


TOWNS = [
    ("東京都", "千代田区", "霞が関", ["霞ヶ関", "霞ケ関", "霞ガ関", "霞が關"]), ("東京都", "千代田区", "丸の内", ["丸ノ内", "丸之内"]),
    ("北海道", "札幌市中央区", "北一条西", ["北1条西", "北１条西", "北一條西"]), ("北海道", "札幌市北区", "北二十三条西", ["北23条西", "北２３条西"]),
    ("北海道", "旭川市", "3条通", ["三条通", "３条通"]), ("宮城県", "仙台市青葉区", "一番町", ["1番町", "１番町"]), ("愛媛県", "松山市", "二番町", ["2番町"]),
    ("神奈川県", "鎌倉市", "七里ガ浜", ["七里ヶ浜", "七里が浜"]), ("東京都", "港区", "麻布十番", ["麻布10番"]), ("奈良県", "奈良市", "二条大路南", ["2条大路南"]),
    ("大阪府", "大阪市北区", "中之島", ["中ノ島", "中の島"]), ("愛知県", "名古屋市中区", "三の丸", ["三ノ丸", "三之丸", "3の丸"]), ("埼玉県", "さいたま市大宮区", "桜木町", ["櫻木町"]),
    ("宮崎県", "延岡市", "東本小路", ["大字東本小路", "東本小路"]), ("大阪府", "八尾市", "本町", []), ("東京都", "台東区", "三ノ輪", ["三の輪"]), ("広島県", "広島市中区", "八丁堀", ["8丁堀"]),
]  # fmt: skip


@pytest.mark.parametrize("place", TOWNS, ids=lambda p: p[1] + p[2])
def test_every_notation_of_a_house_is_that_house(place: tuple[str, str, str, list[str]]) -> None:
    prefecture, city, town, others = place
    for spelling in (town, *others):
        for number in numbers_written(2, 13, 25):
            for front in (prefecture + city, city, f"{prefecture} {city} ", f"〒123-4567 {prefecture}{city}"):
                found = read_address(front + spelling + number)
                assert found.form and found.form[:4] == (prefecture, city, town, "2-13-25"), front + spelling + number
                assert not set(found.doubts) - {"loose_town"}, front + spelling + number


@settings(max_examples=300)
@given(st.integers(0, 10**9), st.integers(1, 9), st.integers(1, 60), st.integers(1, 60), st.data())
def test_any_town_of_the_register_is_found(seed: int, a: int, b: int, c: int, data: st.DataObject) -> None:
    rng = random.Random(seed)  # noqa: S311
    place = rng.choice([m for m in register().municipalities if m.is_living])
    town = rng.choice(sorted(place.towns.values()) or [""])
    if not town or town[-1].isdigit() or town[-1] in "一二三四五六七八九十〇百千第":
        return
    text = f"{place.prefecture}{place.city}{town}{data.draw(st.sampled_from(numbers_written(a, b, c)))}"
    assert normalise_address(text)[:4] == (place.prefecture, place.city, town, f"{a}-{b}-{c}"), text


# text: (prefecture, city, town, number, rest)
PLACES = {
    "府中市宮西町2-24": ("東京都", "府中市", "宮西町", "2-24", ""), "府中市府川町315": ("広島県", "府中市", "府川町", "315", ""), "伊達市末永町1-2": ("北海道", "伊達市", "末永町", "1-2", ""),
    "伊達市保原町1-2": ("福島県", "伊達市", "保原町", "1-2", ""), "石狩郡当別町末広380": ("北海道", "石狩郡当別町", "末広", "380", ""), "当別町末広380": ("北海道", "石狩郡当別町", "末広", "380", ""),
    "池田町六之井1468-1": ("岐阜県", "揖斐郡池田町", "六之井", "1468-1", ""), "中央区銀座1-2-3": ("東京都", "中央区", "銀座", "1-2-3", ""), "横浜市山下町1": ("神奈川県", "横浜市中区", "山下町", "1", ""),
    "東京千代田区霞が関1-2-3": ("東京都", "千代田区", "霞が関", "1-2-3", ""), "神奈川横浜市西区みなとみらい2-2-1": ("神奈川県", "横浜市西区", "みなとみらい", "2-2-1", ""),
    "三重県四日市市諏訪町1番5号": ("三重県", "四日市市", "諏訪町", "1-5", ""), "四日市市諏訪町1-5": ("三重県", "四日市市", "諏訪町", "1-5", ""), "千葉県市川市八幡1-1-1": ("千葉県", "市川市", "八幡", "1-1-1", ""),
    "奈良県大和郡山市北郡山町248-4": ("奈良県", "大和郡山市", "北郡山町", "248-4", ""), "町田市森野2-2-22": ("東京都", "町田市", "森野", "2-2-22", ""), "廿日市市下平良1-11-1": ("広島県", "廿日市市", "下平良", "1-11-1", ""),
    "余市郡余市町朝日町26": ("北海道", "余市郡余市町", "朝日町", "26", ""), "佐波郡玉村町下新田201": ("群馬県", "佐波郡玉村町", "下新田", "201", ""), "杵島郡大町町大町5017": ("佐賀県", "杵島郡大町町", "大町", "5017", ""),
    "京都市中京区寺町通御池上る上本能寺前町488番地": ("京都府", "京都市中京区", "上本能寺前町", "488", ""), "京都府京都市中京区烏丸通二条下る秋野々町513": ("京都府", "京都市中京区", "秋野々町", "513", ""),
    "京都市中京区烏丸通二条下ル秋野々町513": ("京都府", "京都市中京区", "秋野々町", "513", ""), "京都市下京区四条通寺町東入二丁目御旅町35": ("京都府", "京都市下京区", "御旅町", "35", ""),
    "京都市上京区今出川通烏丸東入相国寺門前町647-20": ("京都府", "京都市上京区", "相国寺門前町", "647-20", ""), "京都市左京区吉田本町": ("京都府", "京都市左京区", "吉田本町", "", ""),
    "岩手県九戸郡軽米町大字軽米第10地割85番地": ("岩手県", "九戸郡軽米町", "軽米", "10-85", ""), "軽米町軽米10-85": ("岩手県", "九戸郡軽米町", "軽米", "10-85", ""),
    "札幌市中央区北1西2": ("北海道", "札幌市中央区", "北一条西", "2", ""), "北海道帯広市西5条南7丁目1": ("北海道", "帯広市", "西五条南", "7-1", ""),
    "愛媛県松山市甲123番地": ("愛媛県", "松山市", "", "甲123", ""), "高知県安芸市土居甲123番地4": ("高知県", "安芸市", "土居", "甲123-4", ""), "石川県金沢市ロ123番地": ("石川県", "金沢市", "", "ロ123", ""),
    "千代田区霞が関12番地イ号": ("東京都", "千代田区", "霞が関", "12-イ", ""), "堺市西区鳳東町4丁444番地の1": ("大阪府", "堺市西区", "鳳東町", "4-444-1", ""), "堺市西区鳳東町4-444-1": ("大阪府", "堺市西区", "鳳東町", "4-444-1", ""),
    "宮城県仙台市泉区市名坂字東裏97-1": ("宮城県", "仙台市泉区", "市名坂東裏", "97-1", ""), "福島県会津若松市一箕町大字八幡字弁天下33": ("福島県", "会津若松市", "一箕町八幡弁天下", "33", ""),
    "軽井沢町大字軽井沢字旧軽井沢1234番地5": ("長野県", "北佐久郡軽井沢町", "軽井沢旧軽井沢", "1234-5", ""), "秋田県横手市十文字町梨木字家東2": ("秋田県", "横手市", "十文字町梨木家東", "2", ""),
    "千葉県柏市十余二249番地1": ("千葉県", "柏市", "十余二", "249-1", ""), "青森県五所川原市十三古中道9": ("青森県", "五所川原市", "十三古中道", "9", ""), "八戸市3日町1番地": ("青森県", "八戸市", "三日町", "1", ""),
    "東京都八丈島八丈町大賀郷2551-2": ("東京都", "八丈町", "大賀郷", "2551-2", ""), "八丈町大賀郷2551番地2": ("東京都", "八丈町", "大賀郷", "2551-2", ""), "新宿区四ツ谷1-2": ("東京都", "新宿区", "四谷", "1-2", ""),
    "塩釜市旭町1-1": ("宮城県", "塩竈市", "旭町", "1-1", ""), "竜ケ崎市3710番地": ("茨城県", "龍ケ崎市", "", "3710", ""), "福岡県糟屋郡須恵町大字須恵771": ("福岡県", "糟屋郡須惠町", "須惠", "771", ""),
    "浦和市常盤6-4-4": ("埼玉県", "さいたま市浦和区", "常盤", "6-4-4", ""), "静岡県清水市草薙1-2": ("静岡県", "静岡市清水区", "草薙", "1-2", ""), "泉市泉中央2-1-1": ("宮城県", "仙台市泉区", "泉中央", "2-1-1", ""),
    "静岡県浜松市中区元城町103-2": ("静岡県", "浜松市中央区", "元城町", "103-2", ""), "山梨県北巨摩郡大泉村西井出8240": ("山梨県", "北杜市", "大泉町西井出", "8240", ""), "鳩ヶ谷市桜町2-2-2": ("埼玉県", "川口市", "桜町", "2-2-2", ""),
    "ひなた市朝日町三丁目5番12号": ("", "ひなた市", "朝日町", "3-5-12", ""), "霞が関1-2-3": ("", "", "霞ケ関", "1-2-3", ""), "東京都千代田区1-2-3": ("東京都", "千代田区", "", "1-2-3", ""),
    "東京都千代田区霞が関": ("東京都", "千代田区", "霞が関", "", ""), "東京都千代田区": ("東京都", "千代田区", "", "", ""), "北海道夕張市無番地": ("北海道", "夕張市", "", "", "無番地"),
    "住所:東京都港区芝公園4-2-8": ("東京都", "港区", "芝公園", "4-2-8", ""), "100-0013東京都千代田区霞が関1-2-3": ("東京都", "千代田区", "霞が関", "1-2-3", ""),
}  # fmt: skip

HOUSE = "東京都千代田区霞が関"
# what stands behind the town: (number, rest)
BEHIND = {
    "1-2-3 ハイツ山田 203": ("1-2-3", "ハイツ山田203"), "1-2-3　ﾊｲﾂ山田203号室": ("1-2-3", "ハイツ山田203号室"), "1-2-3ハイツ山田203": ("1-2-3", "ハイツ山田203"), "1-2-3-101": ("1-2-3", "101"),
    "1－2－3ー101号室": ("1-2-3", "101号室"), "1丁目2番3号101": ("1-2-3", "101"), "1丁目2番3号 101号室": ("1-2-3", "101号室"), "1-2-3-ハイツ": ("1-2-3", "ハイツ"), "1-2-3-A101": ("1-2-3", "A101"),
    "1丁目2番三井ビル": ("1-2", "三井ビル"), "1-2-3-三愛ビル": ("1-2-3", "三愛ビル"), "1-2-3 第二ハイツ3号棟": ("1-2-3", "第二ハイツ3号棟"), "1-2-3号棟101": ("1-2", "3号棟101"), "1-2-3階": ("1-2", "3階"),
    "1-2 405号室": ("1-2", "405号室"), "1-2-3 山田方": ("1-2-3", "山田方"), "1丁目2番3号山田様方": ("1-2-3", "山田様方"), "1-2-3 コーポ 緑 Ⅱ": ("1-2-3", "コーポ緑 II"), "12番地先": ("12", "先"), "12番地付近": ("12", "付近"),
    "ビル3階": ("", "ビル3階"), "ハイツ山田": ("", "ハイツ山田"), "三丁目": ("3", ""), "三": ("3", ""), "12-3イ": ("12-3-イ", ""), "1 丁目 2 - 3": ("1-2-3", ""), "1-2-": ("1-2", ""), "1丁目2番地": ("1-2", ""),
}  # fmt: skip


@pytest.mark.parametrize("text", PLACES)
def test_place_comes_in_parts(text: str) -> None:
    assert tuple(normalise_address(text)) == PLACES[text]


@pytest.mark.parametrize("behind", BEHIND)
def test_number_and_building_are_told_apart(behind: str) -> None:
    assert normalise_address(HOUSE + behind)[2:] == ("霞が関", *BEHIND[behind])


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("府中市宮西町2-24", {"by_town"}), ("池田町大字池田1", {"ambiguous_city", "unknown_town"}), ("ひなた市朝日町1-2", {"unknown_city"}), ("霞が関1-2-3", {"no_city", "unknown_town"}),
        ("横浜市山下町1", {"ward_added"}), ("横浜市未知町1", {"no_ward", "unknown_town"}), ("東京都町田市みち町1", {"unknown_town"}), ("神奈川県町田市森野1-1", {"other_prefecture"}),
        ("浦和市常盤6-4-4", {"merged"}), ("新宿区四ツ谷1-2", {"loose_town"}), ("京都市中京区寺町通御池上る上本能寺前町488", {"street"}), ("千代田区1-2", {"no_town"}), ("千代田区霞が関", {"no_number"}),
        ("千代田区霞が関1-2-3-101", {"room_in_chain"}), ("千代田区霞が関1-2-301", {"maybe_room"}), ("夕張市無番地", {"no_house_number", "no_town"}), ("千代田区霞が関12番地先", {"about"}),
        ("宮城県仙台市泉区市名坂字東裏97", {"part_unknown"}), ("千代田区霞が関1234567", {"long_number"}),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_said(text: str, doubts: set[str]) -> None:
    assert set(read_address(text).doubts) == doubts


@pytest.mark.parametrize(
    ("text", "doubt"),
    [("住所不定", "unknown"), ("不明", "unknown"), ("住所不明", "unknown"), ("不詳", "unknown"), ("〃", "unknown"), ("-", "unknown"), ("***", "unknown"), ("123", "not_an_address"),
     ("二", "not_an_address"), ("!!", "not_an_address"), ("🏠", "not_an_address")],
)  # fmt: skip
def test_what_is_no_address_has_no_value(text: str, doubt: str) -> None:
    found = read_address(text)
    assert found.form is None and doubt in found.doubts


@pytest.mark.parametrize(
    "text", ["California USA 123 Main St", "中国北京市", "アメリカ合衆国", "ブラジル サンパウロ", "海外"]
)
def test_an_address_abroad_is_left_as_it_is(text: str) -> None:
    found = read_address(text)
    assert found.form and not found.form.town and found.form.rest == text and "abroad" in found.doubts


@pytest.mark.parametrize("text", [*PLACES, *(HOUSE + b for b in BEHIND)])
def test_normal_form_is_its_own_normal_form(text: str) -> None:
    once = normalise_address(text)
    assert normalise_address(once.value) == once


def test_own_municipality_may_be_left_out() -> None:
    assert (
        normalise_address("霞ヶ関1-2-3", "東京都", "千代田区")[2:4]
        == normalise_address("東京都千代田区霞が関1-2-3", "東京都", "千代田区")[2:4]
    )
    assert (
        normalise_address("朝日町3-5", "未来県", "ひなた市")[2:4]
        == normalise_address("未来県ひなた市朝日町三丁目5番", "未来県", "ひなた市")[2:4]
    )


def test_address_parts_are_named_as_promised() -> None:
    assert list(answer("address", "").parts) == ["prefecture", "city", "town", "number", "rest"]


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("N3W5 4-7", "北3条西5丁目4番7号"),
        ("北３西５－４－７", "北3条西5丁目4番7号"),
        ("札幌市中央区N1W2", "札幌市中央区北1条西2丁目"),
        ("帯広市W5S7 1", "帯広市西5条南7丁目1"),
        ("E3L N5", "東3線北5号"),
        ("緑沢町西11-北15", "緑沢町西11線北15号"),
    ],
)
def test_places_in_a_grid_are_written_for_short(short: str, full: str) -> None:
    """In 北海道 streets and country lines are numbered by the compass, and meter readers have little room."""
    assert normalise_address(short) == normalise_address(full) != NO_ADDRESS


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ("旧志茂幌村字新富 38", "志茂幌字新富38番地"),
        ("晴別市旧志茂幌村西七線北十三号", "晴別市志茂幌西7線北13号"),
        ("旧緑沢町字弥生616", "緑沢町字弥生616番地"),
    ],
)
def test_a_merged_municipality_is_named_as_it_was(former: str, today: str) -> None:
    assert normalise_address(former) == normalise_address(today)


@pytest.mark.parametrize(
    ("written", "city", "town"),
    [
        ("沖縄県瑞凪市安部崎12", "瑞凪市", "安部崎"),  # 名護市 alone has a 安部
        ("沖縄県瑞凪市字安部12", "瑞凪市", "安部"),
        ("沖縄県国頭郡瑞凪村安部崎12", "国頭郡瑞凪村", "安部崎"),
        ("山梨県北巨摩郡大泉村西井出8240", "北杜市", "大泉町西井出"),
        ("沖縄県島尻郡東風平町字友寄12", "島尻郡八重瀬町", "友寄"),
        ("沖縄県石川市東恩納1", "うるま市", "石川東恩納"),
    ],
)
def test_a_town_is_moved_only_to_the_heir_of_its_municipality(written: str, city: str, town: str) -> None:
    """A city that no list knows is misspelt or made up: its town is nobody else's, nor is a longer name a shorter one's."""
    assert normalise_address(written)[1:3] == (city, town)


def test_a_place_called_old_is_no_former_municipality() -> None:
    assert normalise_address("旧市街3").value == "旧市街3"
    assert normalise_address("軽井沢町大字軽井沢字旧軽井沢1234番地5").town == "軽井沢旧軽井沢"


@pytest.mark.parametrize("text", ["本町北3", "東町3-5 N3W5ビル", "北3番地5", "南町2-3 東4棟"])
def test_a_compass_letter_alone_is_no_grid(text: str) -> None:
    form = normalise_address(text)
    assert not {"条", "線"} & set(form.town) and "条" not in form.rest


@pytest.mark.parametrize("number", [1, 9, 10, 11, 20, 23, 100, 110, 101, 999, 1000, 1234, 9999])
def test_kanji_numbers_read_back(number: int) -> None:
    assert kanji_number(in_kanji(number)) == number


@pytest.mark.parametrize(
    "pair",
    ["霞ヶ関 霞が関", "三ッ沢 三つ沢", "丸の内 丸之内", "三条 3条", "大字赤井 赤井", "髙﨑 高崎", "二十三条 23条"],
)
def test_spellings_of_a_place_share_a_key(pair: str) -> None:
    one, other = pair.split()
    assert place_key(one) == place_key(other)


@given(
    st.one_of(
        st.text(max_size=80),
        st.text(
            st.sampled_from("東京都千代田区霞が関市町村郡県0123456789-ー丁目番地号の一二三十条線字甲イ 〒上る下東入第"),
            max_size=60,
        ),
    )
)
def test_any_text_is_answered(text: str) -> None:
    found = answer("address", text)
    assert found.value or found.doubts
    assert all(d in DOUBTS for d in read_address(text).doubts)
    if found.value:
        assert answer("address", found.value).value == found.value


@pytest.mark.parametrize(
    ("prefecture", "city", "ways", "town"),
    [
        ("岩手県", "洋野町", ("種市第23地割27-1", "洋野町種市第23地割27番地1", "九戸郡洋野町種市第二十三地割27番地の1"), "種市"),
        ("岩手県", "九戸郡洋野町", ("種市第23地割27-1", "洋野町種市第23地割27番地1"), "種市"),
        ("佐賀県", "大町町", ("大町5000", "大町町大町5000番地", "佐賀県杵島郡大町町大字大町5000"), "大町"),
        ("奈良県", "大和郡山市", ("北郡山町12", "大和郡山市北郡山町12番地"), "北郡山町"),
        ("北海道", "札幌市", ("北1条西5丁目2-1", "札幌市中央区北一条西5-2-1", "中央区北1条西5丁目2番1号"), "中央区北一条西"),
        ("京都府", "京都市", ("烏丸通三条下る饅頭屋町287-1", "京都市中京区饅頭屋町287番地1"), "中京区饅頭屋町"),
        ("京都府", "京都市", ("壬生神明町12-3", "京都市中京区壬生神明町12番地3"), "中京区壬生神明町"),
        ("京都府", "京都市中京区", ("烏丸通三条下る饅頭屋町287-1", "京都市中京区饅頭屋町287番地1"), "饅頭屋町"),
        ("石川県", "架空浦市", ("鹿渡町ラ-45甲", "鹿渡町ラ部45番地甲", "石川県架空浦市鹿渡町ラ部４５番地甲"), "鹿渡町ラ"),
        ("石川県", "架空浦市", ("下曽根町ツ73", "架空浦市下曽根町ツ割七十三番地"), "下曽根町ツ"),
        ("石川県", "加賀市", ("塩屋町ハ118-1", "加賀市塩屋町ハ部118番地1", "塩屋町ハ割118の1"), "塩屋町"),
        ("埼玉県", "春日部市", ("一ノ割1-2-3", "春日部市一ノ割一丁目2番3号"), "一ノ割"),
        ("沖縄県", "宜野湾市", ("字我如古12-3", "宜野湾市我如古12番地3"), "我如古"),
    ],
)  # fmt: skip
def test_own_municipality_however_written_is_the_same_place(prefecture, city, ways, town):
    for forms in (
        addresses_of(ways, prefecture, city).values(),
        [normalise_address(w, prefecture, city) for w in ways],
    ):
        assert {outside_own(form, prefecture, city) + form.town for form in forms} == {town}
        assert len({form.number for form in forms}) == 1


def test_namesake_in_another_prefecture_stays_another_place():
    form = normalise_address("北海道中川郡池田町西1条1", "長野県", "池田町")
    assert outside_own(form, "長野県", "池田町") == "中川郡池田町"
    assert outside_own(normalise_address("宜野湾市真栄原1-2-3"), "", "") == "宜野湾市"


@pytest.mark.parametrize(
    ("written", "town", "number"),
    [
        ("石川県輪島市河井町20部1番地1", "河井町", "20-1-1"),
        ("輪島市河井町弐拾部壱番地1", "河井町", "20-1-1"),
        ("石川県鹿島郡中能登町能登部下91部23番地", "能登部下", "91-23"),
        ("珠洲市上戸町北方1字6番地の2", "上戸町北方", "1-6-2"),
    ],
)
def test_numbered_parts_of_a_town_are_numbers_of_their_own(written: str, town: str, number: str) -> None:
    found = normalise_address(written)
    assert (found.town, found.number) == (town, number)
