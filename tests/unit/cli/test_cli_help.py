"""``--help`` in Japanese: lines fit the terminal, and no command's name is cut in two."""

from __future__ import annotations

import pytest

from kodomo.cli import main
from kodomo.cli_help import columns_of, wrapped


def test_a_wide_character_takes_two_columns() -> None:
    assert columns_of("名寄せ link") == 11


@pytest.mark.parametrize("width", range(6, 40))
def test_lines_fit_and_say_the_same(width: int) -> None:
    text = "媒体を書く(take)、消去・返却・破壊を書く(wipe・return・destroy)、一覧(list)"
    lines = wrapped(text, width)
    assert "".join(lines) == text
    assert all(columns_of(line) <= width + 4 or line.isascii() for line in lines)
    assert not any(line[0] in "、。)・" for line in lines)
    for word in ("take", "return", "destroy"):
        assert any(word in line for line in lines)


def test_spaces_end_lines_and_begin_none() -> None:
    assert wrapped("aa bb cc", 5) == ["aa bb", "cc"]
    assert wrapped("  ", 5) == []


@pytest.mark.parametrize(
    "words",
    [["--help"], ["media", "--help"], ["layout", "--help"], ["persons", "--help"], ["linkage-quality", "--help"]],
)
def test_help_fits_the_terminal(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(words)
    printed = capsys.readouterr().out
    assert printed.startswith("使い方: kodomo")
    assert (
        "%%" not in printed
        and "usage:" not in printed
        and "show this help" not in printed
        and "options:" not in printed
    )
    assert all(columns_of(line) <= 82 for line in printed.splitlines())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["models", "list"], "は書けません。書けるもの: "),
        (["models"], "書かれていないものがあります: "),
        (["nosuch"], "は書けません"),
        (["status", "--nosuch"], "分からない指定です: --nosuch"),
        (["models", "challenge", "--dates"], "--dates のあとに値がありません"),
        (["models", "challenge", "--dates", "x"], "整数で書いてください"),
    ],
)
def test_wrong_usage_is_told_in_japanese(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) != 0
    said = capsys.readouterr().err
    assert told in said
    assert not {"argument", "choose", "required", "invalid"} & set(said.replace(":", " ").split())
