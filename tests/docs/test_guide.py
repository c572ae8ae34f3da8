"""The guide for staff: every task of a caseworker has its page, and every picture is small, named, shown and taken."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from guide import IMAGES, PICTURED, SCALE, SIZE, known

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
TASKS = {"shortlist", "assessment", "inquiry", "conference", "plan", "package", "takeover", "transfer"}
LARGEST = 90_000


def shown() -> set[str]:
    text = "".join(page.read_text() for page in HOW_TO.glob("*.md"))
    return set(re.findall(r"\]\(\.\./images/([a-z-]+)\.png\)", text))


def test_every_task_has_a_page_with_a_picture() -> None:
    for task in TASKS:
        text = (HOW_TO / f"{task}.md").read_text()
        assert "../images/" in text, task
        assert f"({task}.md)" in (HOW_TO / "casework.md").read_text(), task


def test_the_pictures_are_those_that_the_tests_take_and_the_pages_show() -> None:
    taken = {path.stem for path in IMAGES.glob("*.png")}
    assert taken == set(PICTURED) == set(known()) == shown()


def test_the_pictures_are_small_and_of_one_size() -> None:
    wanted = (round(SIZE["width"] * SCALE), round(SIZE["height"] * SCALE))
    for path in IMAGES.glob("*.png"):
        content = path.read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", content[16:24]) == wanted, path.name
        assert len(content) <= LARGEST, path.name


def test_every_picture_says_in_words_what_it_shows() -> None:
    for page in HOW_TO.glob("*.md"):
        for words in re.findall(r"!\[([^\]]*)\]\(", page.read_text()):
            assert len(words) >= 5, page.name
