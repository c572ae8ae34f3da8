"""`kodomo normalise`: a line in, a line of JSON out, whatever the line holds."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodomo.errors import WrongUsage
from kodomo.intake.normal_forms.answer import KINDS, answer, as_line, read_lines
from kodomo.intake.normal_forms.command import normalise_files

ROOT = Path(__file__).resolve().parents[3]
KEYS = ["input", "value", "parts", "doubts"]


def run(*words: str, given_: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "kodomo", "normalise", *words], input=given_, capture_output=True, check=False, cwd=ROOT
    )


def objects(out: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.decode().split("\n")[:-1]]


def test_each_line_gives_one_object_in_order() -> None:
    lines = ["令和6年4月1日", "", "不明", "2023-02-29", "東京", "R6.4\r", "\ufeff2024-04-01"]
    done = run("--kind", "date", given_="\n".join(lines).encode())
    assert done.returncode == 0 and not done.stderr
    found = objects(done.stdout)
    assert [o["value"] for o in found] == ["2024-04-01", None, None, None, None, "2024-04", "2024-04-01"]
    assert all(list(o) == KEYS for o in found)
    assert [o["input"] for o in found][:5] == lines[:5] and found[5]["input"] == "R6.4"
    assert all(o["doubts"] or o["value"] for o in found)


def test_json_flag_gives_exactly_one_object() -> None:
    done = run("--kind", "kana", "--json", "-", given_="ﾔﾏﾀﾞ ﾀﾛｳ\n山田\n".encode())
    body = json.loads(done.stdout)
    assert [o["value"] for o in body["lines"]] == ["ヤマダ タロウ", None]
    assert body["counts"] == {"lines": 2, "with_value": 1, "with_doubts": 1} and body["kind"] == "kana"


def test_several_files_follow_one_another_and_a_mark_at_the_front_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeff髙﨑　惠子\n".encode())
    (tmp_path / "b.txt").write_bytes("山田 太郎".encode())
    out = io.BytesIO()
    assert normalise_files("name", [tmp_path / "a.txt", tmp_path / "b.txt"], whole=False, out=out) == {}
    assert [o["value"] for o in objects(out.getvalue())] == ["高崎 恵子", "山田 太郎"]


def test_a_file_that_is_not_there_is_refused_in_japanese(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="読めません"):
        normalise_files("name", [tmp_path / "none.txt"], whole=False, out=io.BytesIO())
    assert run("--kind", "name", str(tmp_path / "none.txt")).returncode == 2
    assert run("--kind", "colour").returncode == 2 and run().returncode == 2


def test_bytes_that_are_no_utf8_are_answered_with_a_doubt() -> None:
    found = objects(run("--kind", "name", given_="山田 太郎\n".encode("cp932") + b"\xff\xfe\0\n").stdout)
    assert len(found) == 2 and all("UTF-8 として読めない文字があります" in o["doubts"] for o in found)


def test_a_closed_pipe_is_no_fault() -> None:
    command = f"yes R6.4.1 | {sys.executable} -m kodomo normalise --kind date | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, cwd=ROOT)
    assert done.stdout.count(b"\n") == 1 and b"Traceback" not in done.stderr


def test_only_line_feeds_part_lines() -> None:
    assert list(read_lines([io.BytesIO("a\u2028b\x0cc\rd\ne".encode())])) == ["a\u2028b\x0cc\rd", "e"]


@pytest.mark.parametrize("kind", KINDS)
@given(
    text=st.one_of(
        st.text(max_size=50),
        st.text(st.characters(codec=None, categories=["Cs", "Co", "Mn", "Cc", "Nd", "No", "Lo"]), max_size=30),
    )
)
def test_any_text_makes_one_line_of_valid_json(kind: str, text: str) -> None:
    found = answer(kind, text)
    line = as_line(found)
    assert "\n" not in line and json.loads(line.encode().decode())["input"] == text
    assert all(isinstance(d, str) and d for d in found.doubts) and (found.value or found.doubts)
    if found.value:
        assert answer(kind, found.value).value == found.value


LONG = [
    "あ",
    "1",
    "-",
    "1-",
    "一",
    "千",
    "東京都",
    "北1条西",
    "の",
    "ー",
    "(",
    "()",
    "山田 ",
    "A ",
    "A,",
    "R6.4.1 ",
    "年月日",
    "京都市中京区寺町通",
    "上る",
    "旧姓",
    "様",
    "\u3099",
    "゛",
    " ",
    "〓",
    "字",
    "番地の",
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_of_a_hundred_thousand_characters_takes_no_time(kind: str) -> None:
    answer(kind, "東京都千代田区霞が関1")
    for piece in LONG:
        started = time.process_time()
        json.loads(as_line(answer(kind, piece * (100_000 // len(piece)))))
        assert time.process_time() - started < 2, piece
