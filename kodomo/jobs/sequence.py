"""Run stages one after another as child processes, skipping those already done (operator side).

Each stage is a `kodomo …` command of its own process: its memory is given back, and killing it
leaves what was finished. Run again, the sequence goes on with the first stage that isn't done.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from kodomo.errors import StaffError
from kodomo.jobs.ledger import Ledger


@dataclass(frozen=True)
class Step:
    """One command of a sequence.

    Args:
        caption: what staff read while it runs.
        words: the command's words after the global options.
        inputs: what its result depends on; a step done with the same inputs is skipped.
    """

    caption: str
    words: tuple[str, ...]
    inputs: str


def run_steps(steps: Sequence[Step], globals_: Sequence[str], ledger: Ledger) -> dict[str, float]:
    """Run the steps in order; returns the seconds of each that ran.

    A step that runs makes every later step run too, since those read what it wrote.

    Raises:
        StaffError: a step failed; its own words are already on standard error.
    """
    spent: dict[str, float] = {}
    stale = False
    for position, step in enumerate(steps, start=1):
        name = f"demo:{step.words[0]}"
        if not stale and ledger.is_done(name, step.inputs):
            _say(f"[{position}/{len(steps)}] {step.caption}: 済み")
            continue
        stale = True
        _say(f"[{position}/{len(steps)}] {step.caption}")
        with ledger.run(name, step.inputs):
            _run(step, globals_)
        newest = next(r for r in ledger.runs() if r.stage == name)
        spent[step.words[0]] = round((newest.finished or newest.started) - newest.started, 1)
    return spent


def _run(step: Step, globals_: Sequence[str]) -> None:
    # Standard output is dropped: the sequence reports as a whole; progress goes to standard error.
    done = subprocess.run(  # noqa: S603  (our own command, words from this program)
        [sys.executable, "-m", "kodomo", *globals_, *step.words], stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        fault = StaffError(
            f"「{step.caption}」が終わりませんでした。",
            where=f"kodomo {step.words[0]}(終了コード {done.returncode})",
            then="上の説明に従って直し、同じコマンドをもう一度実行してください。続きから始まります。",
        )
        fault.exit_code = done.returncode
        raise fault


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
