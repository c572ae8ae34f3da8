"""The command line: one command per stage, each importing its stage only when called.

Standard output carries the result (with ``--json`` exactly one JSON object); progress and words for
people go to standard error. Exit codes are those of ``kodomo.errors.EXIT_CODES``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from kodomo import __version__, cli_approval, cli_onboarding, cli_words
from kodomo.cli_help import JapaneseHelp, in_japanese
from kodomo.cli_onboarding import say as _say
from kodomo.configuration import SHIPPED_MUNICIPALITIES, Home, Municipality, parse_date, read_municipality
from kodomo.errors import StaffError, WrongUsage
from kodomo.jobs.ledger import STATES, Ledger
from kodomo.jobs.sequence import Step, run_steps

Result = dict[str, Any]

DEMO_MONTHS, DEMO_SEED = 24, cli_words.DEMO_SEED
DEMO_AS_OF = "2026-03-31"
"""The synthetic city's last day; its extracts are dated the day after."""
JUDGING = frozenset({"build", "judge", "evaluate", "what-if", "models"})
"""Stages that work with the criteria in force."""


class _Parser(argparse.ArgumentParser):
    """Speaks Japanese, in its help and in its refusals."""

    def __init__(self, **settings: Any) -> None:
        wants_help = settings.pop("add_help", True)
        super().__init__(formatter_class=JapaneseHelp, add_help=False, **settings)
        if wants_help:  # what another parser takes over keeps argparse's titles, by which it is merged
            self._optionals.title = "オプション"
            self._positionals.title = "書くもの"
            self.add_argument("-h", "--help", action="help", help="この説明を出す")

    def error(self, message: str) -> Any:
        raise WrongUsage(
            "コマンドの書き方が違います。", where=in_japanese(message), then=f"{self.prog} --help を見てください。"
        )


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Never shows a traceback for a refusal meant for staff."""
    given = list(sys.argv[1:] if words is None else words)
    if words is None:
        # A stage that is told to stop cleans up after itself, as after Ctrl+C.
        signal.signal(signal.SIGTERM, _interrupt)
    as_json = "--json" in given
    try:
        arguments = _parser().parse_args(given)
        result = arguments.command(arguments)
    except StaffError as refusal:
        return _refuse(refusal, as_json)
    except KeyboardInterrupt:
        print("\n中断しました。同じコマンドで続きから始まります。", file=sys.stderr)
        return 130
    except Exception:
        # A bug: the developers need the traceback, but no cell value may ride in an exception's text.
        _report_bug()
        return 70
    try:
        _print(result, as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us (head, less) has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(result.get("exit_code", 0))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _refuse(refusal: StaffError, as_json: bool) -> int:
    print(refusal.text(), file=sys.stderr)
    if as_json:
        body = {"what": refusal.what, "where": refusal.where, "then": refusal.then, **refusal.details}
        print(json.dumps({"error": body, "exit_code": refusal.exit_code}, ensure_ascii=False, default=str))
    return refusal.exit_code


def _report_bug() -> None:
    kind, _, place = sys.exc_info()
    frames = "".join(traceback.format_tb(place))
    name = kind.__name__ if kind else "?"
    print(f"製品の不具合です({name})。次の場所を開発者に伝えてください。\n{frames}", file=sys.stderr)


def _print(result: Result, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str))
        return
    for name, value in result.items():
        if not isinstance(value, list | dict):
            print(f"{name}: {value}")


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument("--json", action="store_true", help="結果を JSON オブジェクト一つで標準出力に出す")
    parser = _Parser(prog="kodomo", description="こどもみらい", parents=[common], allow_abbrev=False)
    parser.add_argument("--version", action="version", version=__version__, help="版を出す")
    parser.add_argument(
        "--home", type=Path, default=Path(os.environ.get("KODOMO_HOME") or "var"), help="すべての置き場"
    )
    parser.add_argument(
        "--municipality",
        type=Path,
        default=Path(os.environ.get("KODOMO_MUNICIPALITY") or SHIPPED_MUNICIPALITIES / "hinata"),
        help="自治体フォルダ",
    )
    commands = parser.add_subparsers(title="コマンド", required=True, metavar="COMMAND")
    for name, (act, words, options) in COMMANDS.items():
        escaped = words.replace("%", "%%")  # argparse fills in its own figures at a per cent sign
        sub = commands.add_parser(name, help=escaped, description=words, parents=[common], allow_abbrev=False)
        for flags, settings in options:
            sub.add_argument(*flags, **settings)
        sub.set_defaults(command=act, stage=name)
    return parser


# One function per command ---------------------------------------------------------------------


def _home(arguments: argparse.Namespace) -> Home:
    root: Path = arguments.home.resolve()
    root.mkdir(parents=True, exist_ok=True)
    home = Home(root)
    if (home.handover / "incoming").exists():
        # Whatever the command: copies of extracts that a killed process left may not lie there any longer.
        from kodomo.intake.delivery import clear_leftovers

        clear_leftovers(home)
    if (home.handover / "arrivals").exists():
        from kodomo.intake.endpoint import clear_arrivals

        clear_arrivals(home)
    return home


def _municipality(arguments: argparse.Namespace) -> Municipality:
    return read_municipality(arguments.municipality.resolve())


def _in_force(home: Home, municipality: Municipality) -> Municipality:
    """The municipality with the criteria and thresholds that judge now, be they its files' or the site's."""
    from kodomo.governance.criteria_in_force import in_force

    return in_force(home, municipality)


def _staged(arguments: argparse.Namespace, work: Callable[..., Result], **more: Any) -> Result:
    """Run a stage under the ledger, with what every stage takes."""
    home = _home(arguments)
    ledger = Ledger(home.runs)
    started = time.monotonic()
    municipality = _municipality(arguments)
    if arguments.stage in JUDGING:
        municipality = _in_force(home, municipality)
    with ledger.run(arguments.stage) as beat:
        result = work(home=home, municipality=municipality, at=_now(), beat=beat, **more)
    result.setdefault("seconds", round(time.monotonic() - started, 2))
    if result.get("old_data"):
        _say(f"△ {result['old_data']}")
    small = {k: v for k, v in result.items() if isinstance(v, str | int | float | bool)}
    ledger.keep_result(arguments.stage, small)
    return result


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _as_of(arguments: argparse.Namespace) -> dt.date:
    return parse_date(arguments.as_of, "--as-of")


def _city(arguments: argparse.Namespace) -> Result:
    from kodomo.city.write_city import write_city

    home = _home(arguments)
    with Ledger(home.runs).run("city") as beat:
        return write_city(
            residents=arguments.residents, months=arguments.months, seed=arguments.seed, out=arguments.out, beat=beat
        )


def _receive(arguments: argparse.Namespace) -> Result:
    from kodomo.intake.extraction_slip import read_slip
    from kodomo.intake.receive import receive

    password = cli_onboarding.read_password(arguments.password_file)
    by = f"{_user()}({arguments.on_behalf_of})" if arguments.on_behalf_of else _user()
    extracted_on = read_slip(arguments.extracted_on) if arguments.extracted_on else None
    words = {"by": by, "medium": arguments.medium, "password": password, "carrier": arguments.carrier,
             "sources": arguments.source or None, "extracted_on": extracted_on}  # fmt: skip
    if arguments.watch is None:
        if not arguments.paths:
            raise WrongUsage("受け取るファイルかフォルダを指定してください。", where="kodomo receive PATH")
        return _staged(arguments, receive_paths(receive, arguments.paths), **words)
    return _receive_watching(arguments, lambda paths: _staged(arguments, receive_paths(receive, paths), **words))


def _receive_watching(arguments: argparse.Namespace, take: Callable[[list[Path]], Result]) -> Result:
    from kodomo.intake.watch import watch

    def goes_on() -> bool:
        time.sleep(arguments.every)
        return True

    folder, state = arguments.watch.resolve(), _home(arguments).handover / "watched.json"
    total: Result = {"files": 0, "landed": 0, "refused": 0, "rows_landed": 0, "rows_quarantined": 0}

    def counting(paths: list[Path]) -> Result:
        result = take(paths)
        for key in total:
            total[key] += int(result.get(key, 0))
        return result

    _say(f"{folder} を見張っています。止めるには Ctrl+C を押すか、この処理に終了を伝えてください。")
    try:
        watch(folder, counting, state, goes_on)
    except KeyboardInterrupt:
        _say("見張りを終えました。")
    return total


def receive_paths(receive: Callable[..., Result], paths: list[Path]) -> Callable[..., Result]:
    """Bind the paths, so that the stage is called like every other."""
    return lambda **words: receive(paths, **words)


def _media(arguments: argparse.Namespace) -> Result:
    from kodomo.intake.media import end_medium, list_media, take_medium

    home, by, at = _home(arguments), _user(), _now()
    if arguments.action == "take":
        return take_medium(
            home, label=arguments.label, office=arguments.office, brought_by=arguments.brought_by, by=by, at=at
        )
    if arguments.action != "list":
        return end_medium(home, label=arguments.label, how=arguments.action, by=by, at=at)
    result = list_media(home, by=by, at=at)
    for entry in result["media"]:
        ended = f"{entry['ended_at']} {entry['ended_how']}" if entry["ended_at"] else f"手元に {entry['days']} 日"
        _say(
            f"{entry['label']}  {entry['taken_at']} {entry['office']} {entry['brought_by']} → {entry['taken_by']}  {ended}"
        )
    return result


def _link(arguments: argparse.Namespace) -> Result:
    from kodomo.linkage.command import renumbered_lines, undecided_lines, unlinked_lines
    from kodomo.linkage.run import link_people

    result = _staged(arguments, link_people, by=_user(), anew=arguments.anew, engine=arguments.engine)
    for line in (*renumbered_lines(result), *undecided_lines(result), *unlinked_lines(result)):
        _say(line)
    return {**result, "unfinished_erasures": _tell_unfinished_erasures(_home(arguments))}


def _persons(arguments: argparse.Namespace) -> Result:
    from kodomo.linkage.command import act_on_persons

    given = (arguments.action, arguments.what, arguments.records, arguments.to, arguments.reason)
    return act_on_persons(*given, home=_home(arguments), by=_user(), at=_now(), say=_say)


def _publish(arguments: argparse.Namespace) -> Result:
    from kodomo.intake.scaffold import HOME_ITEMS
    from kodomo.linkage.publish import publish_children

    result = _staged(arguments, publish_children, by=_user())
    for one in result["withheld"]:
        if one["item"] in HOME_ITEMS:
            _say(f"△ 「{one['caption']}」を公表していません。{one['why']}{HOME_ITEMS[one['item']]}。")
    return result


def _export_links(arguments: argparse.Namespace) -> Result:
    from kodomo.linkage.export import export_links

    return export_links(
        arguments.out,
        home=_home(arguments),
        municipality=_municipality(arguments),
        by=_user(),
        at=_now(),
        everybody=arguments.everybody,
        as_shown=arguments.as_shown,
    )


def _linkage_quality(arguments: argparse.Namespace) -> Result:
    from kodomo.linkage.measure import draw_for_review, lines, linkage_quality

    who: dict[str, Any] = {"home": _home(arguments), "by": _user(), "at": _now()}
    if arguments.draw is not None and arguments.labels:
        raise WrongUsage("--draw と --labels は、いっしょには書けません。")
    if arguments.draw is not None:
        report = draw_for_review(number=arguments.draw, **who)
    else:
        report = linkage_quality(labels=arguments.labels, municipality=_municipality(arguments), **who)
    for line in lines(report):
        _say(line)
    return report


def _build(arguments: argparse.Namespace) -> Result:
    from kodomo.features.build import build_features

    return _tell_silent(_staged(arguments, build_features, as_of=_as_of(arguments), engine=arguments.engine))


def _tell_silent(result: Result) -> Result:
    """Name the indicators that say nothing of anybody: from a forgotten basis, a missing file or another word."""
    if result["silent"]:
        _say(
            f"△ どのこどもにも値のない指標が {len(result['silent'])} あります(データ項目が届いていない、判定の根拠がない、年齢が合わない、など): "
            + "、".join(result["silent"])
        )
    return result


def _approval(act: Callable[[argparse.Namespace, cli_approval.Here], Result]) -> Callable[[argparse.Namespace], Result]:
    """A command of approval, told where and when it runs and under whose account."""

    def command(arguments: argparse.Namespace) -> Result:
        home, municipality = _home(arguments), _municipality(arguments)
        here = cli_approval.Here(home, municipality, _now(), _user(), _say, partial(_staged, arguments))
        return act(arguments, here)

    return command


def _judge(arguments: argparse.Namespace) -> Result:
    from kodomo.judgement.run import judge_cohort

    return _tell_silent(_staged(arguments, judge_cohort, as_of=_as_of(arguments)))


def _what_if(arguments: argparse.Namespace) -> Result:
    from kodomo.judgement.what_if import what_if

    if bool(arguments.points) == bool(arguments.draft):
        raise WrongUsage("試す点か、案のフォルダの、どちらか一つを書いてください。", where="--points --draft")
    if arguments.draft:
        from kodomo.judgement.try_draft import try_draft

        return _staged(arguments, try_draft, as_of=_as_of(arguments), draft=arguments.draft.resolve())
    pairs = [pair.partition("=")[::2] for pair in arguments.points]
    try:
        points = {code: float(value) for code, value in pairs}
    except ValueError:
        raise WrongUsage("点は CODE=8 の形で書いてください。", where="--points") from None
    return _staged(arguments, what_if, as_of=_as_of(arguments), points=points)


def _export_judgements(arguments: argparse.Namespace) -> Result:
    from kodomo.judgement.export import export_judgements

    return export_judgements(
        arguments.out, home=_home(arguments), municipality=_municipality(arguments), as_of=_as_of(arguments)
    )


def _evaluate(arguments: argparse.Namespace) -> Result:
    from kodomo.evaluation.backtest import evaluate

    return _staged(arguments, evaluate, as_of=_as_of(arguments))


def _bench_judgement(arguments: argparse.Namespace) -> Result:
    from kodomo.evaluation.bench.compare import as_text, bench_judgement

    result = bench_judgement(
        arguments.table,
        target=arguments.target,
        group=arguments.group,
        ignore=arguments.ignore,
        seed=arguments.seed,
        repeats=arguments.repeats,
        workers=arguments.workers,
        leave_out=arguments.without,
    )
    if not arguments.json:
        print(as_text(result))
    return result if arguments.json else {}


def _prepare(arguments: argparse.Namespace) -> Result:
    _announce_to_site(arguments)
    from kodomo.web.serve import prepare

    return prepare(home=_home(arguments), municipality=_municipality(arguments), demo=arguments.demo)


def _serve(arguments: argparse.Namespace) -> Result:
    _announce_to_site(arguments)
    from kodomo.web.serve import prepare, serve

    home, municipality = _home(arguments), _municipality(arguments)
    # The second factor may be skipped for demo accounts inside `kodomo demo` alone, so no option says so.
    demo = arguments.stage == "demo"
    prepare(home=home, municipality=municipality, demo=demo)
    serve(home=home, municipality=municipality, host=arguments.host, port=arguments.port, demo=demo)
    return {}


def _announce_to_site(arguments: argparse.Namespace) -> None:
    # Django reads its settings from the environment when it is first imported.
    os.environ["KODOMO_HOME"] = str(_home(arguments).root)
    os.environ["KODOMO_MUNICIPALITY"] = str(arguments.municipality.resolve())


def _read_slip(arguments: argparse.Namespace) -> Result:
    from kodomo.intake.child import slip_in_child

    if not arguments.file.is_file():
        raise WrongUsage("ファイルがありません。", where=arguments.file.name)
    password = sys.stdin.readline().rstrip("\n") if arguments.password_stdin else ""
    return {"rows": slip_in_child(arguments.file.resolve(), "回答票", password=password or None)}


def _return_outcomes(arguments: argparse.Namespace) -> Result:
    from kodomo.web.start import migrate, start_django

    home, municipality = _home(arguments), _municipality(arguments)
    start_django(home, municipality)
    migrate()
    from kodomo.support.outcomes import return_outcomes

    return return_outcomes(home=home, municipality=municipality, by=_user(), at=_now())


def _release(arguments: argparse.Namespace) -> Result:
    from kodomo.web.start import migrate, start_django

    home, municipality = _home(arguments), _municipality(arguments)
    start_django(home, municipality)
    migrate()
    from kodomo.operations.releases import release_now

    return release_now(
        home=home, municipality=municipality, asked_by=arguments.asked_by, approved_by=arguments.approved_by,
        reason=arguments.reason, at=_now(), judgement=arguments.judgement,
    )  # fmt: skip


def _status(arguments: argparse.Namespace) -> Result:
    from kodomo.store.database import Store

    home = _home(arguments)
    store = Store(home.store)
    runs = [
        {"run": r.run_number, "stage": r.stage, "state": r.state, "label": STATES[r.state], "figures": dict(r.figures)}
        for r in Ledger(home.runs).runs(20)
    ]
    snapshots = [_folder_summary(store, "snapshots", name) for name in store.names("snapshots")]
    judgements = [_folder_summary(store, "judgements", name) for name in store.names("judgements")]
    delivered = _delivered(arguments, home)
    _show_status(delivered, snapshots, judgements, runs)
    return {"home": str(home.root), **delivered, "snapshots": snapshots, "judgements": judgements, "jobs": runs}


def _folder_summary(store: Any, kind: str, name: str) -> Result:
    manifest = store.open(kind, name).manifest
    rows = {table: entry["rows"] for table, entry in manifest["files"].items()}
    return {"id": name, "as_of": manifest.get("as_of"), "rows": rows}


def _delivered(arguments: argparse.Namespace, home: Home) -> dict[str, list[Any]]:
    if not ((home.vault / "vault.sqlite3").exists() or (home.root / "database.toml").exists()):
        return {"deliveries": [], "refusals": [], "freshness": [], "unfinished_erasures": []}
    from kodomo.intake.overview import delivery_overview

    found = delivery_overview(home=home, municipality=_municipality(arguments), by=_user(), at=_now())
    return {**found, "unfinished_erasures": _tell_unfinished_erasures(home)}


def _tell_unfinished_erasures(home: Home) -> list[str]:
    from kodomo.linkage.erase import UNFINISHED, unfinished_erasures

    keys = unfinished_erasures(home)
    if keys:
        _say(UNFINISHED.format(keys="、".join(keys)))
    return keys


def _show_status(
    delivered: dict[str, list[Result]], snapshots: list[Result], judgements: list[Result], runs: list[Result]
) -> None:
    _say(f"受領: {len(delivered['deliveries'])} 件、断ったファイル: {len(delivered['refusals'])} 件")
    for entry in delivered["freshness"]:
        age = "届いていません" if entry["age_days"] is None else f"抽出から {entry['age_days']} 日"
        _say(
            f"  {'新しい' if entry['is_fresh'] else '古い　'} {entry['source']}  {age}(期限 {entry['freshness_days']} 日)"
        )
    _say(f"こどもデータベース: {len(snapshots)} 版、判定: {len(judgements)} 回")
    for entry in [*snapshots[-3:], *judgements[-3:]]:
        _say(f"  {entry['id']}")
    for run in runs[:8]:
        _say(f"  実行 {run['run']}: {run['stage']} {run['label']}")


def _audit(arguments: argparse.Namespace) -> Result:
    _announce_to_site(arguments)
    from kodomo.web.verify import verify_audit

    found = verify_audit(_home(arguments))
    broken = {side: verdict for side, verdict in found.items() if verdict["first_bad"] is not None}
    for side, verdict in found.items():
        text = "異常なし" if side not in broken else f"{verdict['first_bad']} 行目: {verdict['fault']}"
        print(f"証跡({side}): {verdict['rows']} 行 {text}", file=sys.stderr)
    return {"chains": found, "intact": not broken, "exit_code": 7 if broken else 0}


def _endpoint(arguments: argparse.Namespace) -> Result:
    from kodomo.intake import endpoint

    home, municipality = _home(arguments), _municipality(arguments)
    if arguments.action == "serve":
        endpoint.serve_endpoint(home=home, municipality=municipality, host=arguments.host, port=arguments.port)
        return {}
    if not arguments.source:
        raise WrongUsage("出所を --source で書いてください。", where=f"kodomo endpoint {arguments.action}")
    if arguments.action == "revoke":
        endpoint.revoke_token(home, arguments.source)
        return {"source": arguments.source, "state": "revoked"}
    expires = parse_date(arguments.expires, "--expires") if arguments.expires else None
    token = endpoint.new_token(home, municipality, arguments.source, expires)
    print("この鍵は一度だけ表示されます。書き留めて、送る側にだけ渡してください。", file=sys.stderr)
    return {"source": arguments.source, "token": token, "expires_on": arguments.expires}


def _keys(arguments: argparse.Namespace) -> Result:
    from kodomo.intake.delivery import locked
    from kodomo.vault.rotation import rotate_keys

    home = _home(arguments)
    ledger = Ledger(home.runs)
    with locked(home.handover), ledger.run("keys") as beat:
        return rotate_keys(
            home=home, by=_user(), at=_now(), beat=beat, check_alone=lambda: ledger.check_idle("link", "publish")
        )


def _demo(arguments: argparse.Namespace) -> Result:
    home = _home(arguments)
    city = home.root / "demo" / f"city-{arguments.residents}-{DEMO_MONTHS}-{arguments.seed}"
    inputs = f"{arguments.residents}/{DEMO_MONTHS}/{arguments.seed}"
    words = {
        "ひなた市をつくる": ("city", "--residents", str(arguments.residents), "--months", str(DEMO_MONTHS),
                      "--seed", str(arguments.seed), "--out", str(city)),
        "抽出データを受け取る": ("receive", str(city / "extracts")),
        "名寄せ": ("link",),
        "こどもデータベースに載せる": ("publish",),
        "指標をつくる": ("build", "--as-of", DEMO_AS_OF),
        "判定": ("judge", "--as-of", DEMO_AS_OF),
        "支援業務の画面を用意する": ("prepare", "--demo"),
    }  # fmt: skip
    steps = [Step(caption, command, inputs) for caption, command in words.items()]
    ledger = Ledger(home.runs)
    globals_ = ["--home", str(home.root), "--municipality", str(arguments.municipality.resolve())]
    seconds = run_steps(steps, globals_, ledger)
    print(f"準備ができました(今回 {sum(seconds.values()):.0f} 秒)。", file=sys.stderr)
    if arguments.serve:
        arguments.host = "127.0.0.1"
        return _serve(arguments)
    return {"home": str(home.root), "residents": arguments.residents, "seconds": seconds, "as_of": DEMO_AS_OF}


def _fonts(arguments: argparse.Namespace) -> Result:
    from kodomo.web.fonts import make_fonts

    return make_fonts()


def _normalise(arguments: argparse.Namespace) -> Result:
    from kodomo.intake.normal_forms.command import normalise_files

    return normalise_files(arguments.kind, arguments.files, whole=arguments.json, out=sys.stdout.buffer)


def _run_job(arguments: argparse.Namespace) -> Result:
    from kodomo.jobs.book import JobBook
    from kodomo.jobs.runner import run_job

    home = arguments.home.resolve()
    globals_ = ["--home", str(home), "--municipality", str(arguments.municipality.resolve())]
    return run_job(JobBook(Home(home).runs), arguments.job, globals_)


def _user() -> str:
    asked_by = os.environ.get("KODOMO_ASKED_BY")  # told by the runner of a job that somebody started from a page
    return f"{getpass.getuser()}({asked_by})" if asked_by else getpass.getuser()


_ENGINE = (
    ("--engine",),
    {"choices": ("duckdb", "spark"), "default": "duckdb", "help": "計算する仕組み。spark は県・国の規模のとき"},
)
_OUT = (("out",), {"type": Path, "metavar": "OUT.csv"})
_CITY_SIZE = (
    (("--residents",), {"type": int, "default": 25_299, "metavar": "N", "help": "住民の数"}),
    (("--seed",), {"type": int, "default": DEMO_SEED, "metavar": "S", "help": "乱数の種"}),
)
_PORT = (("--port",), {"type": int, "default": 8000})
_DEMO = (("--demo",), {"action": "store_true", "help": argparse.SUPPRESS})

COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], Result], str, tuple[Any, ...]]] = {
    "city": (
        _city,
        "ひなた市(実在しない市)の抽出データと答えをつくる",
        (
            *_CITY_SIZE,
            (("--months",), {"type": int, "default": DEMO_MONTHS, "metavar": "M", "help": "月数"}),
            (("--out",), {"type": Path, "required": True, "metavar": "DIR"}),
        ),
    ),
    "receive": (
        _receive,
        "ファイルやフォルダを受け渡し領域で受け取り、検査して載せる",
        (
            (("paths",), {"nargs": "*", "type": Path, "metavar": "PATH"}),
            (("--watch",), {"type": Path, "metavar": "DIR", "help": "フォルダを見張り、置かれたものを受け取り続ける"}),
            (("--every",), {"type": float, "default": 5.0, "metavar": "秒", "help": "見張りの間隔"}),
            (("--carrier",), {"default": "", "metavar": "名札", "help": "届いた媒体(kodomo media take で書いたもの)"}),
            (
                ("--extracted-on",),
                {
                    "default": "",
                    "metavar": "YYYY-MM-DD|受渡票.csv",
                    "help": "ファイルの名前にも中にも抽出日がないときの抽出日。ファイルごとに違うときは、「ファイル名,抽出日」の受渡票(CSV)",
                },
            ),
            (("--medium",), {"default": "MEDIA", "choices": ("SYSTEM", "MEDIA", "MANUAL"), "help": "連携の方式"}),
            (
                ("--source",),
                {
                    "action": "append",
                    "default": [],
                    "metavar": "SOURCE",
                    "help": "この出所のファイルだけを受け取る(繰り返せる)",
                },
            ),
            cli_words.PASSWORD,
            (("--on-behalf-of",), {"metavar": "SOURCE", "help": argparse.SUPPRESS}),
        ),
    ),
    "media": (_media, *cli_words.MEDIA),
    "layout": (cli_onboarding.layout, *cli_words.LAYOUT),
    "municipality": (cli_onboarding.municipality, *cli_words.MUNICIPALITY),
    "read-slip": (
        _read_slip,
        "返ってきた回答票(xlsx・CSV)を、制限した処理の中で調べて読む(画面の取り込みが使う)",
        (
            (("file",), {"type": Path, "metavar": "FILE", "help": "回答票のファイル"}),
            (("--password-stdin",), {"action": "store_true", "help": "開くパスワードを標準入力の一行から読む"}),
        ),
    ),
    "link": (
        _link,
        "名寄せ: どの行が同じ人かを決め、世帯・親子をつなぐ。前の名寄せのあとに届いた分だけを比べる(結果は全件と同じ)",
        (
            (("--anew",), {"action": "store_true", "help": "届いた分だけでなく、全件を初めから名寄せする"}),
            _ENGINE,
        ),
    ),
    "persons": (
        _persons,
        "人の経緯を見る(history KEY)、別の人と決める(separate KEY --records …)、同じ人と決める(join KEY KEY)、取り消す(undo R5・D12・P7)、一人を消す(erase KEY)",
        (
            (
                ("action",),
                {
                    "choices": ("history", "separate", "join", "undo", "erase"),
                    "metavar": "history|separate|join|undo|erase",
                    "help": "すること",
                },
            ),
            (
                ("what",),
                {"nargs": "+", "metavar": "KEY", "help": "仮名キー。undo では実行(R5)・判断(D12)・目視確認の組(P7)"},
            ),
            (
                ("--records",),
                {"nargs": "+", "default": [], "metavar": "REF", "help": "分ける記録(受領番号:行:役。history が示す形)"},
            ),
            (("--to",), {"default": "", "metavar": "KEY", "help": "分けた記録をこの人の記録とする(separate)"}),
            (("--reason",), {"default": "", "metavar": "理由", "help": "判断の理由(history のほかは必ず書く)"}),
        ),
    ),
    "publish": (_publish, "識別情報を外し、こどもデータベースに載せる", ()),
    "build": (_build, "基準日に知られていたことから、こどもごとの指標をつくる", (cli_words.AS_OF, _ENGINE)),
    "criteria": (_approval(cli_approval.criteria), *cli_approval.CRITERIA),
    "models": (_approval(cli_approval.models), *cli_approval.MODELS),
    "rules": (_approval(cli_approval.rules), *cli_approval.RULES),
    "judge": (_judge, "こどもごと・類型ごとの判定、レベル、根拠をつくる", (cli_words.AS_OF,)),
    "fonts": (
        _fonts,
        "日本語の字体のないパソコンのために、画面の字体を切り分ける(導入のときに一度。通信しない)",
        (),
    ),
    "what-if": (_what_if, *cli_words.WHAT_IF),
    "evaluate": (_evaluate, "過去の日付と把握済みの事例で、判定の良し悪しを確かめる", (cli_words.AS_OF,)),
    "bench-judgement": (_bench_judgement, *cli_words.BENCH_JUDGEMENT),
    "serve": (_serve, "支援業務の画面を開く", ((("--host",), {"default": "127.0.0.1"}), _PORT)),
    "prepare": (_prepare, "支援業務の画面の用意だけをする", (_DEMO,)),
    "demo": (
        _demo,
        "ひなた市で全部を通し、画面を開く",
        (*_CITY_SIZE, _PORT, (("--no-serve",), {"dest": "serve", "action": "store_false", "help": "判定まで"})),
    ),
    "return-outcomes": (_return_outcomes, "人の判断と支援結果を、氏名のない形でこどもデータベースへ返す", ()),
    "release": (_release, *cli_words.RELEASE),
    "status": (_status, "いま何があるか: 受領、鮮度、版、判定、実行", ()),
    "export-links": (
        _export_links,
        "名寄せの結果を行ごとに書き出す(識別側・証跡あり)",
        (_OUT, cli_words.EVERYBODY, cli_words.AS_SHOWN),
    ),
    "linkage-quality": (_linkage_quality, *cli_words.LINKAGE_QUALITY),
    "export-judgements": (_export_judgements, "判定を書き出す(仮名)", (_OUT, cli_words.AS_OF)),
    "endpoint": (_endpoint, *cli_words.ENDPOINT),
    "keys": (
        _keys,
        "保管庫の鍵を新しくし、すべてを封じ直して、古い鍵を捨てる",
        ((("action",), {"choices": ("rotate",), "metavar": "rotate"}),),
    ),
    "normalise": (_normalise, *cli_words.NORMALISE),
    "run-job": (_run_job, *cli_words.RUN_JOB),
    "audit": (_audit, "証跡の連鎖を確かめる", ((("action",), {"choices": ("verify",), "metavar": "verify"}),)),
}
