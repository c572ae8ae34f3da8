"""The commands of beginning: layouts of files and the municipality's folder (the command line, apart for its length)."""

from __future__ import annotations

import argparse
import datetime as dt
import getpass
import sys
from pathlib import Path
from typing import Any

from kodomo.errors import ConfigurationFault, StaffError, WrongUsage

Result = dict[str, Any]


def say(line: str) -> None:
    """Words for people: standard output is the result's."""
    print(line, file=sys.stderr)


def read_password(path: Path | None) -> str | None:
    """A password from a file, or typed where the path is ``-``; None where none is given."""
    # From a file or the keyboard, never from the command line: other accounts can read the process list.
    if path is None:
        return None
    if str(path) == "-":
        return getpass.getpass("パスワード: ") or None
    try:
        return path.read_text(encoding="utf-8-sig").strip("\r\n") or None
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or "文字として読めません"
        raise WrongUsage("パスワードのファイルを読めません。", where=f"{path} ({reason})") from None


def layout(arguments: argparse.Namespace) -> Result:
    """``kodomo layout``."""
    return {"draft": _draft, "check": _check}[arguments.action](arguments)


def _draft(arguments: argparse.Namespace) -> Result:
    from kodomo.intake.draft import draft_layout, known_of

    if not arguments.files:
        raise WrongUsage(
            "下書きをつくるファイルを指定してください。", where="kodomo layout draft FILE… [--out LAYOUT.toml]"
        )
    folder = _folder_of(arguments, arguments.out)
    password = read_password(arguments.password_file)
    result = draft_layout(arguments.files, known_of(folder), password=password, sheet=arguments.sheet)
    text = result.pop("layout")
    if arguments.out is None:
        if not arguments.json:
            print(text, end="")
            return {}
        return {**result, "layout": text}
    _write_new(arguments.out, text)
    say(f"{arguments.out} に下書きを書きました。★ の付いた {result['open']} か所を確かめてください。")
    return {**result, "out": str(arguments.out)}


def _folder_of(arguments: argparse.Namespace, layout: Path | None) -> Path:
    """The municipality's folder that a layout lies in (``sources/``), else the one given."""
    around = layout.resolve().parent.parent if layout else None
    return around if around and (around / "settings.toml").is_file() else arguments.municipality.resolve()


def _check(arguments: argparse.Namespace) -> Result:
    from kodomo.intake.layout_trial import check_files

    if len(arguments.files) < 2:
        raise WrongUsage("レイアウトとファイルを指定してください。", where="kodomo layout check LAYOUT.toml FILE…")
    folder = _folder_of(arguments, arguments.files[0])
    password = read_password(arguments.password_file)
    result = check_files(
        arguments.files[0],
        arguments.files[1:],
        on=dt.datetime.now(dt.UTC).astimezone().date(),
        folder=folder,
        password=password,
    )
    for line in result["lines"]:
        say(line)
    return result


def municipality(arguments: argparse.Namespace) -> Result:
    """``kodomo municipality``."""
    from kodomo.intake.scaffold import check_municipality, new_municipality

    if arguments.action == "new":
        if not arguments.name or arguments.out is None:
            raise WrongUsage(
                "名前とフォルダを指定してください。", where="kodomo municipality new --name 名前 --out DIR"
            )
        return new_municipality(arguments.name, arguments.prefecture, arguments.out)
    folder = arguments.municipality.resolve()
    result = check_municipality(folder)
    if not result["faults"] and (folder / "criteria").is_dir():
        result = {**result, "faults": _faults_of_criteria(folder)}
        result["exit_code"] = ConfigurationFault.exit_code if result["faults"] else 0
    for line in [*(f"× {fault}" for fault in result["faults"]), *(f"? {remark}" for remark in result["remarks"])]:
        say(line)
    if not result["faults"]:
        say(f"○ 出所 {result['sources']}、項目 {result['items']}、根拠 {result['bases']}。誤りはありません。")
    return result


def _faults_of_criteria(folder: Path) -> list[str]:
    """What judging would refuse of a folder's criteria, in the words of the other faults."""
    from kodomo.judgement.draft_check import check_draft

    return [
        f"criteria/{mark.get('file', '')}: {' '.join(str(mark[key]) for key in ('table', 'entry', 'key') if mark.get(key))}: {mark['message']}"
        for mark in check_draft(folder)["faults"]
    ]


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError:
        raise WrongUsage(
            "同じ名前のファイルがあります。", where=str(path), then="別の名前にするか、消してからやり直してください。"
        ) from None
    except OSError as fault:
        raise StaffError(
            "ファイルを書けません。", where=f"{path} ({fault.strerror})", then="書き込める場所を指定してください。"
        ) from None
