"""Makes ひなた市: founds it, lives its months, prints every system's extracts, and apart from them the answer key (synthetic city)."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kodomo.city.benefits import take_up
from kodomo.city.canaries import plant
from kodomo.city.centre_extracts import print_centre
from kodomo.city.health_extracts import print_health
from kodomo.city.lives import MONTHS, live
from kodomo.city.notice import notice
from kodomo.city.outside_extracts import print_outside
from kodomo.city.people import LAST_DAY
from kodomo.city.press import Press
from kodomo.city.register_extracts import print_register
from kodomo.city.school_extracts import print_school
from kodomo.city.sheets import Printer
from kodomo.city.townsfolk import found_city
from kodomo.city.truth import write_truth
from kodomo.city.water_extracts import print_water
from kodomo.city.welfare_extracts import print_welfare
from kodomo.configuration import SHIPPED_MUNICIPALITIES
from kodomo.errors import WrongUsage
from kodomo.intake.layout import read_layouts
from kodomo.progress import Progress

FEWEST = 300
"""Below this there are too few families to hold every kind of record."""


def write_city(
    *, residents: int, months: int, seed: int, out: Path, beat: Callable[[dict[str, object]], None] | None = None
) -> dict[str, object]:
    """Write ひなた市's extracts to ``out/extracts/<holder>/`` and its answer key to ``out/answer_key/``.

    Same arguments, same bytes. Never writes a 個人番号. An earlier city in ``out`` is replaced.

    Args:
        residents: registered on the last day, 2026-03-31.
        months: length of the window of monthly records, up to 72.
        seed: of all randomness.
        out: folder to write into; made when missing.
        beat: progress listener.

    Returns:
        Counts and paths: residents, children, files, rows per source, rows per file of the key, seconds.

    Raises:
        WrongUsage: the city is too small or the window does not fit.
    """
    _check(residents, months)
    started = time.monotonic()
    for folder in (out / "extracts", out / "answer_key"):
        shutil.rmtree(folder, ignore_errors=True)
    city = found_city(residents, seed, beat)
    canaries = plant(city)
    lives = live(city, np.random.default_rng([seed, 1]))
    press = Press(
        city, lives, Printer(read_layouts(SHIPPED_MUNICIPALITIES / "hinata"), out / "extracts", seed), seed, months
    )
    press.canaries = canaries
    benefits = take_up(lives, press.rng("benefits"))
    noticed = notice(lives, benefits, press.rng("notice"))
    stages = Progress("抽出ファイルを書く", 7, unit="系統", beat=beat)
    print_register(press)
    stages.add()
    print_welfare(press, benefits)
    stages.add()
    print_health(press)
    stages.add()
    print_centre(press, noticed)
    stages.add()
    enrolments = print_school(press, benefits)
    stages.add()
    print_outside(press, enrolments)
    stages.add()
    print_water(press)
    stages.add()
    stages.close()
    key = write_truth(press, noticed, out / "answer_key")
    return {
        "residents": residents,
        "children": int(lives.resident[:, -1].sum()),
        "last_day": _iso(LAST_DAY),
        "files": len({file for _, file, *_ in press.printer.ledger.links}),
        "rows": press.printer.ledger.rows,
        "answer_key": key,
        "extracts": str(out / "extracts"),
        "key": str(out / "answer_key"),
        "seconds": round(time.monotonic() - started, 1),
    }


def _iso(day: int) -> str:
    return dt.date.fromordinal(day).isoformat()


def _check(residents: int, months: int) -> None:
    if residents < FEWEST:
        raise WrongUsage(f"住民は {FEWEST} 人以上にしてください。", where="--residents")
    if not 12 <= months <= MONTHS:
        raise WrongUsage(f"月数は 12 から {MONTHS} までにしてください。", where="--months")
