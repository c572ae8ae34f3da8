"""Has a form that came back from outside read in bounded processes of its own (casework side)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from kodomo.support.returned_form import SlipRefused

LARGEST_SLIP = 1 << 20
"""Bytes of an upload: the reader would refuse more anyway."""

ROOT = Path(__file__).resolve().parents[2]


def read_rows(content: bytes, password: str = "") -> list[list[str]]:
    """A slip's rows of text, read by ``kodomo read-slip`` in processes with bounds; nothing of it stays on disk.

    The password goes through a pipe: a command line can be read by other accounts.

    Raises:
        SlipRefused: in the words of the reader.
    """
    if len(content) > LARGEST_SLIP:
        raise SlipRefused("too_large", "回答票にしては大きすぎるファイルです。")
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); from kodomo.cli import main; raise SystemExit(main())"
    with tempfile.TemporaryDirectory(prefix="kodomo-slip-") as folder:
        path = Path(folder) / "slip"
        path.write_bytes(content)
        words = ["--home", str(Path(folder) / "home"), "read-slip", str(path), "--json", "--password-stdin"]
        try:
            done = subprocess.run(  # noqa: S603  our own interpreter and module, no shell
                [sys.executable, "-I", "-X", "utf8", "-c", start, str(ROOT), *words], input=f"{password}\n".encode(),
                capture_output=True, timeout=60, check=False,
            )  # fmt: skip
            told = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError):
            raise SlipRefused("reader_failed", "回答票を読めませんでした。", then="もう一度試してください。") from None
    if "rows" not in told:
        fault = told.get("error", {})
        raise SlipRefused(
            str(fault.get("code", "reader_failed")), str(fault.get("what", "回答票を読めませんでした。")),
            where=str(fault.get("where", "")), then=str(fault.get("then", "")),
        )  # fmt: skip
    rows: list[list[str]] = told["rows"]
    return rows
