"""The walls between the sides hold, and an unlawful import is caught."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).parent / "lint-imports"

UNLAWFUL = [
    ("kodomo/features/build.py", "from kodomo.vault import reveal"),
    ("kodomo/features/build.py", "import django"),
    ("kodomo/evaluation/report.py", "from kodomo.linkage import publish"),
    ("kodomo/judgement/run.py", "from kodomo.city import truth"),
    ("kodomo/judgement/scenarios.py", "from kodomo.judgement import run"),
    ("kodomo/assessment/views.py", "from kodomo.judgement import run"),
    ("kodomo/assessment/actions.py", "from kodomo.vault import records"),
    ("kodomo/assessment/arrivals.py", "import lightgbm"),
    ("kodomo/web/serve.py", "from kodomo.intake import receive"),
    ("kodomo/linkage/publish.py", "from kodomo.vault import reveal"),
    ("kodomo/linkage/run.py", "from kodomo.city import truth"),
    ("kodomo/store/database.py", "from kodomo.vault import keys"),
    ("kodomo/governance/audit.py", "import django"),
    ("kodomo/tables/engine.py", "import pyspark"),
    ("kodomo/terms.py", "from kodomo import configuration"),
    ("kodomo/intake/read.py", "def sly() -> None:\n    from kodomo.linkage import run"),
]


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINT), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree's Python files and contracts, where they may be broken."""
    folder = tmp_path_factory.mktemp("walls")
    shutil.copytree(
        ROOT / "kodomo", folder / "kodomo", ignore=shutil.ignore_patterns("__pycache__", "*.html", "static")
    )
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def test_contracts_hold_as_the_tree_stands(copy: Path) -> None:
    done = _lint(copy)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(("place", "line"), UNLAWFUL, ids=[f"{p}:{w}" for p, w in UNLAWFUL])
def test_unlawful_import_breaks_a_contract(copy: Path, place: str, line: str) -> None:
    file = copy / place
    lawful = file.read_text()
    try:
        file.write_text(f"{lawful}\n{line}\n")
        done = _lint(copy)
        assert done.returncode == 1, done.stdout
        assert "BROKEN" in done.stdout
    finally:
        file.write_text(lawful)


def test_new_top_level_package_must_be_placed(copy: Path) -> None:
    (copy / "kodomo" / "helpers").mkdir()
    (copy / "kodomo" / "helpers" / "__init__.py").write_text("")
    try:
        assert _lint(copy).returncode == 1
    finally:
        shutil.rmtree(copy / "kodomo" / "helpers")
