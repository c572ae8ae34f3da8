"""Records normalised per second: name, reading, birth date and address, as linkage needs them of every extract.

Two loads of records made here, from the shipped register and surname list, without looking at how ひなた市
writes: `city` repeats values as a municipality's extracts do (families share surname and address, birthdays
recur), `distinct` repeats nothing but surnames. Every record is written in one of several notations. Each
load is measured several times in a process of its own, cold, and the median is written down, beside the
machine's load: one core does the work, so on a machine that others use the CPU seconds tell more.

    python benchmarks/normalise.py [RECORDS] [REPEATS]      (default 200000 5)
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
import unicodedata
from importlib.metadata import version
from pathlib import Path

RESULT = Path(__file__).resolve().parent / "results" / "normalise.json"
GIVEN = "太郎花子一二美香優真翔陽菜結衣大輝蓮悠斗葵凛咲莉奈健誠直樹和也明裕恵理智之"
READINGS = "アイカキコサシスセタチツトナニノハヒフホマミムモヤユヨラリルレロワン"
ERAS = ((2019, "R", "令和"), (1989, "H", "平成"), (1926, "S", "昭和"))


def written_date(day: dt.date, rng: random.Random) -> str:
    """A date in one of seven notations."""
    first, letter, name = next(e for e in ERAS if day.year > e[0])
    year = day.year - first + 1
    return rng.choice((
        day.isoformat(), f"{day:%Y%m%d}", f"{day.year}/{day.month}/{day.day}", f"{letter}{year}.{day.month}.{day.day}",
        f"{name}{year}年{day.month}月{day.day}日", f"{'  SHR'.index(letter) + 1}{year:02d}{day:%m%d}",
        unicodedata.normalize("NFKC", f"{letter}{year:02d}/{day:%m/%d}").translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"}),
    ))  # fmt: skip


def written_address(town: tuple[str, str, str], numbers: tuple[int, int, int], rng: random.Random) -> str:
    """An address in one of six notations; one in eight has a building."""
    prefecture, city, name = town
    a, b, c = numbers
    kanji = "〇一二三四五六七八九"
    number = rng.choice((
        f"{a}-{b}-{c}", f"{a}丁目{b}番{c}号", f"{a}丁目{b}番地{c}", f"{a}－{b}－{c}", f"{kanji[a]}丁目{b}番{c}号", f"{a}丁目{b}-{c}",
    ))  # fmt: skip
    building = rng.choice((" コーポ緑101", "　メゾン桜 203号室")) if rng.random() < 0.125 else ""
    return (prefecture if rng.random() < 0.5 else "") + city + name + number + building


def records(count: int, *, is_city: bool, seed: int = 1) -> dict[str, list[str]]:
    """``count`` records by columns.

    A city: as many people as two fifths of the records, 2.2 to a household, in six sources that each keep to one
    notation. The other load: every record another person in another place, in a notation drawn anew.
    """
    rng = random.Random(seed)  # noqa: S311
    people = _people(round(count * 0.4) if is_city else count, is_city, rng)
    columns: dict[str, list[str]] = {"name": [], "kana": [], "born": [], "address": []}
    for number in range(count):
        person = rng.choice(people) if is_city else people[number]
        notation = random.Random(rng.randrange(6)) if is_city else rng  # noqa: S311
        surname, given, heard, day, town, numbers = person
        reading = f"{''.join(chr(ord(c) + 0x60) for c in surname[1])} {heard}"
        columns["name"].append(surname[0] + notation.choice((" ", "　", "")) + given)
        columns["kana"].append(notation.choice((reading, _half(reading), reading.replace(" ", "　"))))
        columns["born"].append(written_date(day, notation))
        columns["address"].append(written_address(town, numbers, notation))
    return columns


Person = tuple[list[str], str, str, dt.date, tuple[str, str, str], tuple[int, int, int]]


def _people(count: int, is_city: bool, rng: random.Random) -> list[Person]:
    from kodomo.intake.normal_forms.surnames import LISTED
    from kodomo.intake.towns.register import register

    surnames = [line.split("\t") for line in LISTED.read_text().splitlines()[1:]]
    weights = [1 / (rank + 3) for rank in range(len(surnames))]
    rng.shuffle(surnames)
    places = [m for m in register().municipalities if m.is_living and (not is_city or m.city == "宮崎市")]
    towns = [(m.prefecture, m.city, t.rstrip("*")) for m in places for t in m.listed.split("\t") if t.endswith("*")]
    start = dt.date(1927, 1, 1)
    people: list[Person] = []
    surname, town, numbers = surnames[0], towns[0], (1, 1, 1)
    for number in range(count):
        if not is_city or rng.random() < 1 / 2.2:
            surname = rng.choices(surnames, weights)[0]
            town, numbers = rng.choice(towns), (rng.randint(1, 9), rng.randint(1, 40), rng.randint(1, 60))
        given, heard = "".join(rng.choices(GIVEN, k=2)), "".join(rng.choices(READINGS, k=3))
        if not is_city:
            given, heard = given + chr(0x4E00 + number % 3000), heard + READINGS[number % len(READINGS)]
        day = start + dt.timedelta(days=rng.randrange(33_000))
        day = day.replace(year=day.year + 1, day=1) if day.year in (1989, 2019) else day
        people.append((surname, given, heard, day, town, numbers))
    return people


_HALF = {unicodedata.normalize("NFKC", chr(c)): chr(c) for c in range(0xFF66, 0xFF9E)}


def _half(text: str) -> str:
    return "".join(
        "".join({"\u3099": "ﾞ", "\u309a": "ﾟ"}.get(p, _HALF.get(p, p)) for p in unicodedata.normalize("NFD", c))
        for c in text
    )


def once(load: str, count: int) -> dict[str, float]:
    """Normalise one load, cold; seconds by kind, distinct values by kind, peak memory."""
    import pyarrow as pa

    from kodomo.intake.normalise import learn_surnames
    from kodomo.intake.normalise_columns import addresses_of, dates_of, names_of, readings_of

    columns = {k: pa.array(v) for k, v in records(count, is_city=load == "city").items()}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures: dict[str, float] = {}
    started, worked = time.perf_counter(), time.process_time()

    def distinct(kind: str) -> list[str]:
        values: list[str] = columns[kind].unique().to_pylist()
        figures[f"distinct_{kind}"] = len(values)
        return values

    def lap(kind: str, since: float) -> float:
        figures[f"seconds_{kind}"] = round(time.perf_counter() - since, 4)
        return time.perf_counter()

    names = distinct("name")
    found = names_of(names, learn_surnames(names))
    at = lap("name", started)
    heard = readings_of(distinct("kana"))
    at = lap("kana", at)
    born = dates_of(distinct("born"))
    at = lap("born", at)
    lived = addresses_of(distinct("address"))
    lap("address", at)
    figures["seconds"] = round(time.perf_counter() - started, 4)
    figures["cpu_seconds"] = round(time.process_time() - worked, 4)
    figures["records_per_second"] = round(count / figures["seconds"])
    figures["records_per_cpu_second"] = round(count / figures["cpu_seconds"])
    figures["unread"] = sum(v.value is None for v in born.values()) + sum(not v.number for v in lived.values())
    figures["forms"] = len(found) + len(heard)
    figures["peak_mib_added"] = round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    return figures


def main(count: int, repeats: int) -> None:
    """Measure both loads and write the medians beside machine and versions."""
    result: dict[str, object] = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system(), "load": round(os.getloadavg()[0], 1)},
        "versions": {p: version(p) for p in ("pyarrow", "jntajis-python")},
        "records": count, "repeats": repeats,
    }  # fmt: skip
    for load in ("city", "distinct"):
        runs = []
        for _ in range(repeats):
            command = [sys.executable, __file__, "--once", load, str(count)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
            runs.append(json.loads(done.stdout))
        result[load] = {key: statistics.median(r[key] for r in runs) for key in runs[0]}
        print(load, json.dumps(result[load]))
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:
        print(json.dumps(once(sys.argv[2], int(sys.argv[3]))))
    else:
        main(*(int(a) for a in (*sys.argv[1:], *("200000", "5")[len(sys.argv) - 1 :])))
