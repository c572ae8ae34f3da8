"""The how-to pages do what they say: their commands run, their files hold together."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
from second_town import write_extracts

from kodomo import cli
from kodomo.intake.layout_check import check_layout

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "new-municipality.md"
LAYOUTS = ROOT / "docs" / "how-to" / "layouts.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.S)


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def test_a_new_municipality_is_taken_in_by_the_pages_own_words(tmp_path, monkeypatch, capsys):
    rows = write_extracts(tmp_path / "in")
    places = {"$HOME_DIR": tmp_path / "home", "$CITY": tmp_path / "mizuki", "$IN": tmp_path / "in"}
    monkeypatch.setattr(cli, "_now", lambda: dt.datetime(2026, 11, 22, tzinfo=dt.UTC))
    ran, said = [], {}
    for kind, text in blocks(PAGE):
        if kind == "toml":
            put(text, places["$CITY"])
            continue
        assert kind == "sh"
        for line in text.strip().splitlines():
            for name, path in places.items():
                line = line.replace(name, str(path))
            words = shlex.split(line)
            if words[:2] == ["cp", "-r"]:
                source, place = map(Path, words[2:])
                shutil.copytree(source, place / source.name)
                continue
            assert words[0] == "kodomo"
            status = cli.main([*words[1:], "--json"])
            ran.append(words)
            said[" ".join(w for w in words if "/" not in w)] = json.loads(capsys.readouterr().out)
            # Before the bases are registered, the check says so.
            assert status in ((0, 4) if "check" in words and "layout" in words else (0,)), line
    received = next(result for words, result in said.items() if "receive" in words)
    assert received["rows_quarantined"] == 0 and received["rows_landed"] == sum(rows.values()), received
    assert (received["landed"], received["refused"]) == (3, 0)
    for words in ran:  # the page asks to check once more when the bases are there
        if words[-3:-1] != [] and "layout" in words and "check" in words:
            assert cli.main([*words[1:], "--json"]) == 0
            assert json.loads(capsys.readouterr().out)["fits"] is True
    with (tmp_path / "home" / "links.csv").open(encoding="utf-8") as handle:
        links = list(csv.DictReader(handle))
    linked = {(r["source"], bool(r["person_key"])) for r in links}
    assert {source for source, _ in linked} == {"residents", "absences", "clubs"}
    for source in ("absences", "clubs"):
        own = [r for r in links if r["source"] == source]
        assert sum(bool(r["person_key"]) for r in own) > len(own) * 0.8, source
    with (tmp_path / "home" / "judgements.csv").open(encoding="utf-8") as handle:
        assert len({r["person_key"] for r in csv.DictReader(handle)}) > 10
    drafted = next(result for words, result in said.items() if "draft" in words and "criteria" in words)
    # A town without registrations has no known cases yet: that is told, and the rest holds together.
    assert drafted["faults"] == [] and drafted["indicators_kept"] > 20 and drafted["indicators_proposed"] > 0


def put(text: str, folder: Path) -> None:
    """Write or append a block to the file that its first line names."""
    found = re.match(r"# (ファイル|追記): (\S+)\n", text)
    assert found, text[:80]
    path = folder / found[2]
    body = text[found.end() :]
    path.write_text(path.read_text(encoding="utf-8") + "\n" + body if found[1] == "追記" else body, encoding="utf-8")


@pytest.mark.parametrize("text", [text for kind, text in blocks(LAYOUTS) if kind == "toml"])
def test_every_example_of_a_layout_holds_together(text):
    body = tomllib.loads(text)
    whole = {"source": "x", "caption": "例", "system": "例", "holder": "x", "lag_days": 0, "freshness_days": 45,
             "columns": [{"name": "例", "type": "text"}], **body}  # fmt: skip
    whole["file"] = {"pattern": "*.csv", "format": "csv", **body.get("file", {})}
    assert check_layout(whole) == []


def test_pages_name_only_pages_that_are_there():
    for page in (PAGE, LAYOUTS, ROOT / "docs" / "reference" / "layout.md"):
        for link in re.findall(r"\]\(([^)#:]+\.md)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), (page.name, link)
