"""What long work can be started from a page, who may start it, and of which commands it is made (casework side)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from kodomo.governance.permissions import Action
from kodomo.jobs.book import JobStep


@dataclass(frozen=True)
class JobKind:
    """One kind of job.

    Args:
        about: what it does and when it is due, in one sentence for staff.
        action: what its starter must be allowed.
        steps: its commands for a base date and a file to write to; kinds that need neither pass them over.
    """

    code: str
    caption: str
    about: str
    action: Action
    steps: Callable[[str, str], list[JobStep]]
    needs_day: bool = False


LINK = JobStep("名寄せ", ("link",))
PUBLISH = JobStep("こどもデータベースへの反映", ("publish",))


def _judge(as_of: str) -> list[JobStep]:
    return [
        JobStep("指標の作成", ("build", "--as-of", as_of)),
        JobStep("判定", ("judge", "--as-of", as_of)),
    ]


KINDS = {
    kind.code: kind
    for kind in (
        JobKind(
            "LINK", "名寄せと反映",
            "受け取ったデータを人ごとにつなぎ、氏名を外してこどもデータベースに載せます。",
            Action.RUN_LINKAGE, lambda as_of, out: [LINK, PUBLISH],
        ),
        JobKind(
            "JUDGE", "指標の作成と判定",
            "基準日に知られていたことから判定します。終わっても、公開が承認されるまで一覧には出ません。",
            Action.RUN_JUDGEMENT, lambda as_of, out: _judge(as_of), needs_day=True,
        ),
        JobKind(
            "MONTHLY", "毎月の一連の処理",
            "名寄せ、反映、指標の作成、判定を続けて行います。その月のデータがそろった後に始めてください。",
            Action.RUN_JUDGEMENT, lambda as_of, out: [LINK, PUBLISH, *_judge(as_of)], needs_day=True,
        ),
        JobKind(
            "EVALUATE", "判定の検証",
            "過去の日付で判定し直し、その後に把握された事例と比べます。",
            Action.RUN_EVALUATION, lambda as_of, out: [JobStep("検証", ("evaluate", "--as-of", as_of))], needs_day=True,
        ),
        JobKind(
            "CHALLENGE", "候補のモデルを学んで比べる",
            "その日までのことから候補のモデルを学び、いまの判定と過去の日付で比べます。使うかどうかは人が決めます。",
            Action.RUN_EVALUATION,
            lambda as_of, out: [JobStep("学習と比較", ("models", "challenge", "--as-of", as_of))], needs_day=True,
        ),
        JobKind(
            "RETURN", "支援結果の返却",
            "人の判断と支援の結果を、氏名のない形でこどもデータベースへ返します。",
            Action.RUN_JUDGEMENT, lambda as_of, out: [JobStep("支援結果の返却", ("return-outcomes",))],
        ),
        JobKind(
            "EXPORT", "判定の書き出し",
            "基準日の判定を、仮名のままファイルにします。持ち出すときは証跡に残ります。",
            Action.EXPORT_JUDGEMENTS,
            lambda as_of, out: [JobStep("書き出し", ("export-judgements", out, "--as-of", as_of))], needs_day=True,
        ),
    )
}  # fmt: skip
"""Kinds that are started on the page of jobs, in the order of a month's work."""

RECEIVE = "RECEIVE"
"""A file handed in on the page of deliveries; started there, listed here."""


def steps_of(kind: JobKind, as_of: dt.date | None, out: str) -> list[JobStep]:
    """The commands of a kind, for a day (where it needs one) and a file (where it writes one)."""
    return kind.steps(as_of.isoformat() if as_of else "", out)
