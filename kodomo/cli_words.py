"""Words and options of commands: data for the command line, apart for its length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Words = tuple[str, tuple[Any, ...]]

DEMO_SEED = 1

AS_OF = (("--as-of",), {"required": True, "metavar": "DATE", "help": "基準日(2026-03-31 の形)"})
PASSWORD = (
    ("--password-file",),
    {"type": Path, "metavar": "FILE", "help": "暗号化ファイルのパスワードを書いたファイル(- なら画面で尋ねる)"},
)
AS_SHOWN = (
    ("--as-shown",),
    {"action": "store_true", "help": "表計算ソフトで開いたときのシートと行の番号も書く(sheet と sheet_row の列)"},
)
EVERYBODY = (
    ("--everybody",),
    {"action": "store_true", "help": "行に出てくる保護者・母なども、一人一行で書く(だれのことかは role の列)"},
)

MEDIA: Words = (
    "媒体管理簿: 受け取った媒体を書く(take)、消去・返却・破壊を書く(wipe・return・destroy)、一覧(list)",
    (
        (
            ("action",),
            {
                "choices": ("take", "wipe", "return", "destroy", "list"),
                "metavar": "take|wipe|return|destroy|list",
                "help": "すること",
            },
        ),
        (("--label",), {"default": "", "metavar": "名札", "help": "媒体の名札・管理番号"}),
        (("--from",), {"dest": "office", "default": "", "metavar": "部署", "help": "渡した部署(take)"}),
        (("--by",), {"dest": "brought_by", "default": "", "metavar": "人", "help": "渡した人(take)"}),
    ),
)

LAYOUT: Words = (
    "出所のファイルの形(レイアウト)を、見本から下書きする(draft FILE…)、確かめる(check LAYOUT FILE…)",
    (
        (("action",), {"choices": ("draft", "check"), "metavar": "draft|check", "help": "下書きか、確かめか"}),
        (
            ("files",),
            {
                "nargs": "+",
                "type": Path,
                "metavar": "PATH",
                "help": "draft は見本、check はレイアウトと見本(見本はいくつでも、zip のままでもよい)",
            },
        ),
        (("--out",), {"type": Path, "metavar": "LAYOUT.toml", "help": "下書きを書くファイル(なければ標準出力)"}),
        (
            ("--sheet",),
            {
                "default": "",
                "metavar": "シート",
                "help": "表計算ソフトのどのシートの表か(draft。なければ行のいちばん多い表)",
            },
        ),
        PASSWORD,
    ),
)

MUNICIPALITY: Words = (
    "自治体フォルダのひな形をつくる(new)、足りないものを確かめる(check)",
    (
        (("action",), {"choices": ("new", "check"), "metavar": "new|check", "help": "つくるか、確かめるか"}),
        (("--name",), {"default": "", "metavar": "名前", "help": "自治体の名前(new)"}),
        (("--prefecture",), {"default": "", "metavar": "都道府県", "help": "都道府県名(new)"}),
        (("--out",), {"type": Path, "metavar": "DIR", "help": "つくるフォルダ(new)"}),
    ),
)

BENCH_JUDGEMENT: Words = (
    "外の表で、判定の学習方法をほかの方法と同じ分け方で比べる",
    (
        (
            ("table",),
            {
                "type": Path,
                "metavar": "TABLE.csv",
                "help": "列名の行のある CSV(UTF-8 か CP932。その上の表題は読み飛ばす)",
            },
        ),
        (("--target",), {"required": True, "metavar": "COLUMN", "help": "当てる列(0/1 など二つの値)"}),
        (("--group",), {"metavar": "COLUMN", "help": "値の同じ行を訓練と検証に分けない列(世帯など)"}),
        (
            ("--ignore",),
            {"action": "append", "default": [], "metavar": "PATTERN", "help": "使わない列(名前、* か正規表現)"},
        ),
        (
            ("--without",),
            {
                "action": "append",
                "default": [],
                "choices": ("lightgbm_default", "lightgbm_tuned", "xgboost", "logistic_regression", "ebm"),
                "metavar": "METHOD",
                "help": "比べない相手(ebm は、ほかのすべての数倍の時間がかかる)",
            },
        ),
        (("--seed",), {"type": int, "default": DEMO_SEED, "metavar": "S", "help": "分け方と乱数の種"}),
        (("--repeats",), {"type": int, "metavar": "N", "help": "分け直す回数(省けば、2,000 行未満で2回)"}),
        (("--workers",), {"type": int, "default": 2, "metavar": "N", "help": "同時に動かす数"}),
    ),
)

ENDPOINT: Words = (
    "システム連携の窓口: 出所ごとの鍵(トークン)をつくる・取り消す、HTTP で受け取る",
    (
        (("action",), {"choices": ("serve", "token", "revoke"), "metavar": "serve|token|revoke"}),
        (("--source",), {"metavar": "SOURCE", "help": "出所のコード(token, revoke)"}),
        (("--expires",), {"metavar": "DATE", "help": "鍵が使えなくなる日(token)"}),
        (("--host",), {"default": "127.0.0.1", "help": "待ち受けるアドレス(serve)"}),
        (("--port",), {"type": int, "default": 8010, "help": "待ち受ける番号(serve)"}),
    ),
)

RELEASE: Words = (
    "判定を公開し、一次絞り込みに出す(画面の「判定の実行と公開」と同じ。申請した人と承認した人の二人が要る)",
    (
        (("--judgement",), {"metavar": "NAME", "help": "判定の名前(kodomo status が示す。なければ最も新しいもの)"}),
        (("--asked-by",), {"required": True, "metavar": "氏名", "help": "公開を申請した人"}),
        (("--approved-by",), {"required": True, "metavar": "氏名", "help": "公開を承認した人(別の人)"}),
        (("--reason",), {"required": True, "metavar": "理由", "help": "公開する理由"}),
    ),
)

WHAT_IF: Words = (
    "点数表の点や判定基準の案で、確認する候補が何人入れ替わるかを試す(何も変えない)",
    (
        (
            ("--points",),
            {"action": "append", "default": [], "metavar": "CODE=N", "help": "行のコードと新しい点"},
        ),
        (("--draft",), {"type": Path, "default": None, "metavar": "DIR", "help": "判定基準の案のフォルダ(画面が使う)"}),
        AS_OF,
    ),
)

RUN_JOB: Words = (
    "画面から始めた処理を一つ、順番を待って動かす(画面が使う。手では使わない)",
    ((("job",), {"type": int, "metavar": "NUMBER", "help": "処理番号"}),),
)

LINKAGE_QUALITY: Words = (
    "名寄せの良し悪しを、人がつけた正解と比べて測る。正解がなければ推定する(適合率・再現率・F1 と 95 % 区間、出所・年齢・外国の氏名・双子ごと)",
    (
        (
            ("--labels",),
            {
                "type": Path,
                "metavar": "FILE",
                "help": "正解の CSV: source,file,row,person または source,row_key,person(なければ自分で推定する)",
            },
        ),
        (
            ("--draw",),
            {
                "type": int,
                "metavar": "N",
                "help": "名寄せが結んだ記録を N 件くじで抜き取り、画面の「名寄せの確認」に並べる(抜き取り確認。測るのは、人が確かめてから)",
            },
        ),
    ),
)

NORMALISE: Words = (
    "日付・かな・氏名・住所を一つの形にそろえて見せる(1 行に JSON 一つ。--json では全体で一つ)",
    (
        (("--kind",), {"required": True, "choices": ("date", "kana", "name", "address"), "help": "値の種類"}),
        (
            ("files",),
            {"nargs": "*", "type": Path, "metavar": "FILE", "help": "UTF-8 のファイル。なし、または - は標準入力"},
        ),
    ),
)
