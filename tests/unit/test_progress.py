"""What a person sees while a stage works."""

from __future__ import annotations

import pytest

from kodomo.progress import Progress


def test_rows_rate_and_end_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[dict[str, object]] = []
    progress = Progress("受領", 10, every=0.0, beat=seen.append)
    for _ in progress.over(range(10)):
        pass
    progress.close()
    shown = capsys.readouterr().err
    assert "受領  3/10 行" in shown
    assert "10/10 行" in shown.splitlines()[-1]
    assert seen[-1]["done"] == 10


def test_steps_are_told_as_the_rows_they_stand_for(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("名寄せ", 4, rows=1_000, every=0.0)
    progress.add()
    progress.add()
    assert "名寄せ  500/1,000 行" in capsys.readouterr().err
    progress.close()
    assert "1,000/1,000 行" in capsys.readouterr().err


def test_unknown_total_tells_no_time_left() -> None:
    progress = Progress("受領")
    progress.add(5)
    assert progress.figures()["left"] is None
