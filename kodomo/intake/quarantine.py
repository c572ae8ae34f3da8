"""Why one row could not be taken in, and what the holder can do about it (identity side)."""

from __future__ import annotations

from kodomo.terms import LabelledEnum


class RowFault(LabelledEnum):
    """差戻しの理由. The label says what was found, the description what to do; neither shows the value."""

    UNDECODABLE = (
        "R-01",
        "文字コードとして読めない文字がある",
        "元のシステムで文字化けを直し、その行を再提出してください",
    )
    CELL_COUNT = (
        "R-02",
        "セルの数が見出しと合わない",
        "区切り文字や引用符の抜け・余りを直し、その行を再提出してください",
    )
    MISSING = "R-03", "必須の値が空", "空欄を埋めて、その行を再提出してください"
    NOT_DATE = "R-04", "日付として読めない", "実在する日付か、決められた不詳の書き方に直してください"
    NOT_MONTH = "R-05", "年月として読めない", "年と月を書いてください(例: 令和6年5月、2024-05)"
    NOT_NUMBER = "R-06", "数として読めない", "数字だけで書いてください。分からないときは空欄にしてください"
    OUT_OF_RANGE = (
        "R-07",
        "決められた範囲の外の値",
        "桁の誤りがないか確かめ、正しければレイアウトの範囲を見直してください",
    )
    UNKNOWN_CODE = "R-08", "コード表にない値", "正しいコードに直すか、新しいコードならレイアウトに足してください"
    NOT_FLAG = "R-09", "有無として読めない", "○×、1・0、有・無のどれかで書いてください"
    NOT_SEX = "R-10", "性別として読めない", "男・女、1・2 などで書いてください"
    SPELL_REVERSED = "R-11", "期間の終わりが始まりより前", "始まりと終わりの日付を確かめてください"
    NO_ERA = "R-12", "元号のない6桁の日付", "元号つきか西暦で出力するか、レイアウトの列に era を書いてください"
    CONTROL = "R-13", "制御文字がある", "元のシステムで見えない文字を取り除いてください"
    TOO_LONG = "R-14", "セルが長すぎる", "引用符の閉じ忘れや、列のずれがないか確かめてください"
    QUOTE = "R-15", "引用符の対応がとれない", '引用符 " の抜け・余りを直してください'
    MIXED_ENCODING = "R-16", "この行だけ文字コードが違う", "ファイル全体を一つの文字コードで出力し直してください"
    AFTER_FOOTER = "R-17", "末尾の行のあとにデータらしい行がある", "合計行などを表の途中に入れないでください"
    OTHER_TABLE = (
        "R-20",
        "見出しの違う、別の表の行",
        "一つのシートに二つの表があります。表ごとに別のファイルに分けて渡してください",
    )
    NO_YEAR = (
        "R-21",
        "年のない日付",
        "年を付けて出力するか、レイアウトの列に year_from(年を補う年度の列)を書いてください",
    )
    DITTO = (
        "R-19",
        "「〃」「同上」と書かれている",
        '上の行と同じ値も省かずに書くか、レイアウトの列に fill_down = "〃" を書いてください',
    )
    FORMULA_ERROR = "R-18", "表計算ソフトのエラー値", "#N/A などのエラーを直して、値として保存してください"

    @property
    def advice(self) -> str:
        """What the holder can do."""
        return self.description


_BY_CODE = {fault.value: fault for fault in RowFault}


def row_fault(code: str) -> RowFault:
    """The fault with this code. Raises KeyError."""
    return _BY_CODE[code]
