"""The commands of approval: versions of criteria, models and rules (the command line, apart for its length)."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kodomo.configuration import Home, Municipality, parse_date
from kodomo.errors import NotReady, WrongUsage
from kodomo.governance.permissions import Role


@dataclass(frozen=True)
class Here:
    """Where and when a command runs, under whose account, and how it speaks; ``staged`` runs work under the ledger."""

    home: Home
    municipality: Municipality
    at: dt.datetime
    account: str
    say: Callable[[str], None]
    staged: Callable[..., dict[str, Any]]


def _person(arguments: argparse.Namespace, here: Here) -> Any:
    from kodomo.governance.approvals import Person

    if not arguments.role:
        raise WrongUsage("する人の役割を書いてください。", where="--role", then="例: --by 氏名 --role COORDINATOR")
    return Person(arguments.by, Role(arguments.role), arguments.office, here.account)


def criteria(arguments: argparse.Namespace, here: Here) -> dict[str, Any]:
    """``kodomo criteria``."""
    from kodomo.governance import adoption
    from kodomo.governance import criteria_versions as versions
    from kodomo.governance.approvals import Matter, Step
    from kodomo.governance.criteria_in_force import in_force

    home, municipality = here.home, here.municipality
    if arguments.action == "check":
        return _check(arguments, here)
    if arguments.action == "export":
        if arguments.out is None:
            raise WrongUsage("書き出す先のフォルダを書いてください。", where="--out")
        return adoption.export(in_force(home, municipality), arguments.out)
    if arguments.action == "draft":
        return _draft(arguments, here)
    if arguments.action != "status":
        step = Step(arguments.action.upper())
        if arguments.version and arguments.part == "both":
            raise WrongUsage("版を示すときは、判定基準かしきい値のどちらか一つにしてください。", where="--part")
        words: Any = {"by": _person(arguments, here), "reason": arguments.reason, "at": here.at}
        of_files = []
        for matter in (Matter.CRITERIA, Matter.THRESHOLDS):
            if arguments.part not in (matter.lower(), "both"):
                continue
            site = adoption.site_version(home, municipality, matter, step, arguments.version)
            if site is not None:
                adoption.decide(home, matter, site, step, **words)
            else:
                of_files.append(matter)
        if of_files:
            versions.act_on(home, municipality, step, of_files, version=arguments.version, **words)
    result = versions.status(home, in_force(home, municipality)) | {"origin": adoption.origins(home, municipality)}
    for line in [*versions.lines(result), *adoption.lines(result["origin"])]:
        here.say(line)
    return result


def _draft(arguments: argparse.Namespace, here: Here) -> dict[str, Any]:
    """What is shipped, as far as the items carry it, and usual indicators for items that none uses: a folder to edit."""
    from kodomo.features.build import current_snapshot
    from kodomo.governance.criteria_in_force import in_force
    from kodomo.judgement.draft_criteria import draft_criteria

    if arguments.out is None:
        raise WrongUsage("書き出す先のフォルダを書いてください。", where="--out")
    municipality, snapshot = in_force(here.home, here.municipality), current_snapshot(here.home)
    result = draft_criteria(municipality, snapshot, arguments.out, here.home.spill)
    for line in [
        *(f"△ {one}" for one in result["remarks"]),
        *("× {file} [[{table}]]「{entry}」{key}: {message}".format(**one) for one in result["faults"]),
    ]:
        here.say(line)
    here.say(
        f"{arguments.out}/criteria に下書きを書きました。★ の付いたところを確かめ、自治体フォルダに置いて、二人の承認を受けてください。"
    )
    return result | {"exit_code": 3 if result["faults"] else 0}


def _check(arguments: argparse.Namespace, here: Here) -> dict[str, Any]:
    from kodomo.governance.criteria_in_force import in_force
    from kodomo.judgement.draft_check import check_draft

    folder = arguments.draft or in_force(here.home, here.municipality).criteria_folder
    result = check_draft(folder.resolve())
    if not result["faults"] and not arguments.draft:
        from kodomo.judgement.criteria_remarks import criteria_remarks
        from kodomo.store.database import Store

        snapshot = Store(here.home.store).current("snapshots")
        result |= {"remarks": criteria_remarks(folder.resolve(), here.municipality.folder, snapshot)}
        for remark in result["remarks"]:
            here.say(f"△ {remark}")
    for fault in result["faults"]:
        here.say("{file} [[{table}]]「{entry}」{key}: {message}".format(**fault))
    if not result["faults"]:
        here.say("直すところはありません。")
    return result | {"exit_code": 3 if result["faults"] and not arguments.draft else 0}


def models(arguments: argparse.Namespace, here: Here) -> dict[str, Any]:
    """``kodomo models``."""
    from kodomo.governance import models as at_hand
    from kodomo.governance.criteria_in_force import in_force

    home = here.home
    if arguments.action == "challenge":
        from kodomo.evaluation.challenge import challenge

        if not arguments.as_of or not 1 <= arguments.dates <= 4:
            raise WrongUsage("学ぶ日と、比べる日の数(1 から 4)を書いてください。", where="--as-of --dates")
        result = here.staged(challenge, as_of=parse_date(arguments.as_of, "--as-of"), dates=arguments.dates)
        here.say(str(result["sentence"]))
        return result
    if arguments.action == "promote":
        words: Any = {"by": _person(arguments, here), "reason": arguments.reason, "at": here.at}
        at_hand.promote_model(home, in_force(home, here.municipality), arguments.model, **words)
    elif arguments.action == "roll-back":
        from kodomo.governance.champion import roll_back

        roll_back(home, by=_person(arguments, here), reason=arguments.reason, at=here.at)
    result = at_hand.models_status(home)
    for line in at_hand.lines(result):
        here.say(line)
    return result


def rules(arguments: argparse.Namespace, here: Here) -> dict[str, Any]:
    """``kodomo rules``."""
    from kodomo.governance.approvals import Step
    from kodomo.governance.rules import found_rules, say
    from kodomo.governance.suppression import Suppression

    home, municipality = here.home, here.municipality
    model = arguments.model or _model_of_judgement(home)
    if arguments.action != "list":
        words: Any = {"by": _person(arguments, here), "reason": arguments.reason, "at": here.at, "model": model}
        say(home, Step(arguments.action.upper()), arguments.rule, **words)
    rule = Suppression(municipality.suppression_threshold, municipality.rounding_base)
    found = [one.as_json(rule) for one in found_rules(home, model)]
    once = sum(not one["is_repeated"] for one in found)
    for one in found:
        if not one["is_repeated"]:
            continue
        rows, cases = ("秘匿" if one[key] is None else one[key] for key in ("rows", "cases"))
        here.say(f"{one['name']}  {Step(one['said']).label if one['said'] else ''}\n  {one['sentence']}")
        often = f"{one['of']} 回の学習のうち {one['folds']} 回、" if one["folds"] else ""
        here.say(f"  {often}重み {one['weight']:+.2f}、当てはまる行 {rows}(うち把握事例 {cases})")
    if once:
        here.say(
            f"ほかに、一度の学習でだけ見つかったルールが {once:,} 件あります(偶然かもしれません。--json に全部あります)。"
        )
    return {"model": model, "rules": found}


def _model_of_judgement(home: Home) -> str:
    from kodomo.store.database import Store

    judgement = Store(home.store).current("judgements")
    version = judgement.manifest.get("model") if judgement is not None else None
    if not version:
        raise NotReady("まだ学習したモデルがありません。", then="kodomo judge を先に実行してください。")
    return str(version)


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
    "判定基準としきい値の版: いまの版と承認を見る(status)、提案(propose)、承認(approve)、取下げ(withdraw)、いま使われているものを書き出す(export)、検査(check)、届いたデータからの下書き(draft)。二人の承認で使える",
    (
        _action("status", "propose", "approve", "withdraw", "export", "check", "draft"),
        (("--out",), {"type": Path, "default": None, "metavar": "DIR", "help": "書き出す先(export、draft)"}),
        (("--draft",), {"type": Path, "default": None, "metavar": "DIR", "help": "検査する案のフォルダ(check)"}),
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

MODELS: tuple[str, Options] = (
    "判定モデル: いまの状態(status)、いまの判定と比べて候補をつくる(challenge)、昇格の承認(promote、二人で現用になる)、前に戻す(roll-back)",
    (
        _action("status", "challenge", "promote", "roll-back"),
        (("--as-of",), {"metavar": "DATE", "help": "学ぶ日(challenge)"}),
        (("--dates",), {"type": int, "default": 1, "metavar": "N", "help": "比べる過去の基準日の数(challenge)"}),
        (("--model",), {"default": "", "metavar": "版", "help": "モデルの版か、その先頭(promote)"}),
        *PERSON,
    ),
)

RULES: tuple[str, Options] = (
    "発見されたルール: 一覧(list)、認める(accept)、必ず候補に残す(pin)、必ず使う(require)、使わない(forbid)。次の学習から効く",
    (
        _action("list", "accept", "pin", "require", "forbid"),
        (("--rule",), {"default": "", "metavar": "名前", "help": "ルールの名前(list が示すもの)"}),
        (("--model",), {"default": None, "metavar": "版", "help": "モデルの版(省けば、いまの判定のもの)"}),
        *PERSON,
    ),
)
