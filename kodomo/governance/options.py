"""Words and options of the commands that approve: data for the command line (crosscutting)."""

from __future__ import annotations

from typing import Any

from kodomo.governance.permissions import Role

Options = tuple[tuple[tuple[str, ...], dict[str, Any]], ...]

PERSON: Options = (
    (("--by",), {"default": "", "metavar": "氏名", "help": "する人の氏名"}),
    (
        ("--role",),
        {"choices": [role.value for role in Role], "metavar": "ROLE", "help": "する人の役割(役割と権限の表)"},
    ),
    (("--office",), {"default": "", "metavar": "部署", "help": "する人の部署コード"}),
    (("--reason",), {"default": "", "metavar": "理由", "help": "理由。帳簿と証跡に残る"}),
)


def _action(*choices: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    return ("action",), {"choices": choices, "metavar": "|".join(choices), "help": "すること"}


CRITERIA: tuple[str, Options] = (
    "判定基準としきい値の版: いまの版と承認を見る(status)、提案(propose)、承認(approve)、取下げ(withdraw)。二人の承認で使える",
    (
        _action("status", "propose", "approve", "withdraw"),
        (
            ("--part",),
            {
                "choices": ("criteria", "thresholds", "both"),
                "default": "both",
                "help": "判定基準か、しきい値か、両方か",
            },
        ),
        (("--version",), {"default": None, "metavar": "版", "help": "確かめた版の先頭。いまの版と違えば断る"}),
        *PERSON,
    ),
)
