"""House style that a tool can check: short functions, small files, first lines, no addresses, no build products."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [p for p in sorted((ROOT / "kodomo").rglob("*.py")) if "migrations" not in p.parts]
# Name tables and other lists of like things may be long.
LISTS = re.compile(r"(_names|names_|places|words)[^/]*\.py$")


@cache
def _module(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def _functions() -> list[tuple[Path, str, int]]:
    found = []
    for path in SOURCES:
        for node in ast.walk(_module(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((path, node.name, (node.end_lineno or node.lineno) - node.lineno + 1))
    return found


def test_functions_are_short() -> None:
    lengths = sorted(length for _, _, length in _functions())
    long = [f"{p.name}:{n} {k}" for p, n, k in _functions() if k > 50]
    assert statistics.median(lengths) <= 12
    assert lengths[int(len(lengths) * 0.9)] <= 32
    assert len(long) <= 0.05 * len(lengths), long


def test_files_hold_one_idea() -> None:
    sizes = {p: len(p.read_text().splitlines()) for p in SOURCES}
    assert not [str(p) for p, n in sizes.items() if n > 800 and not LISTS.search(str(p))]
    assert sorted(sizes.values())[int(len(sizes) * 0.9)] <= 480


def test_every_module_says_what_it_is() -> None:
    silent = [str(p) for p in SOURCES if p.read_text().strip() and not ast.get_docstring(_module(p))]
    assert not silent


def test_packages_are_named_for_their_stage() -> None:
    forbidden = {"utils", "common", "core", "helpers", "services", "manager", "handler"}
    assert not [str(p) for p in SOURCES if forbidden & set(p.relative_to(ROOT).with_suffix("").parts)]


def _tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("git の管理下ではないので確かめられません")
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_no_registry_address_nor_machine_path_is_committed() -> None:
    sought = re.compile(
        r"(pypi\.org|pythonhosted|registry\.npmjs|deb\.debian\.org|--index-url|/home/[a-z]|/root/|/wor" r"k/)"
    )
    found = []
    for path in _tracked():
        if path.is_file() and path.suffix in {
            ".py",
            ".toml",
            ".txt",
            ".md",
            ".cfg",
            ".ini",
            ".html",
            ".yaml",
            ".yml",
            "",
        }:
            text = path.read_text(errors="ignore")
            if sought.search(text) and path != Path(__file__).resolve():
                found.append(f"{path.relative_to(ROOT)}: {sought.search(text).group(0)}")  # type: ignore[union-attr]
    assert not found


def test_no_build_product_nor_database_is_committed() -> None:
    bad = re.compile(r"(\.sqlite3|\.parquet|\.duckdb|\.pyc|\.egg-info)|(^|/)(\.venv|var|screenshots)/")
    assert not [str(p) for p in _tracked() if bad.search(str(p.relative_to(ROOT)))]
