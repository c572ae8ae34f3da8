"""Writes what was learned so that a person can read it: text, JSON and plain arrays, never code (analysis side)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kodomo.features.catalogue import Catalogue
from kodomo.governance.models import MODELS
from kodomo.judgement.judge import Judged
from kodomo.judgement.learners.preparing import Prepared
from kodomo.judgement.learners.rule_discovery import RuleModel
from kodomo.judgement.learners.signed_line import LineModel
from kodomo.judgement.learners.similar_cases import SimilarModel
from kodomo.judgement.learning import TypeModel
from kodomo.judgement.rule_words import rule_sentence


def save_models(root: Path, judged: Judged, summary: dict[str, Any]) -> str | None:
    """Write a judgement's models under ``models/<hash>/``; the hash of the content is their version.

    Boosters as LightGBM text, rules and calibrations in ``models.json``, learned likeness as npz. The same
    models give the same bytes.

    Returns:
        The version; None where nothing was learned.
    """
    learned = sorted(judged.learned.models.items())
    files: dict[str, bytes] = {}
    for kind, model in learned:
        for n, text in enumerate(model.boosted.texts()):
            files[f"{'POOLED' if model.is_pooled else kind.value}.{n:02d}.txt"] = text.encode()
        for one in model.others:
            for n, fitted in enumerate(one.models.models):
                if isinstance(fitted, SimilarModel):
                    files[f"{kind.value}.{one.method.value}.{n:02d}.npz"] = _as_arrays(fitted)
    if not files:
        return None
    cards = {kind.value: _card(model, judged.matrix.catalogue) for kind, model in learned}
    files["models.json"] = json.dumps(
        {**summary, "models": cards}, ensure_ascii=False, indent=1, sort_keys=True
    ).encode()
    digest = hashlib.sha256(b"".join(name.encode() + b"\n" + held for name, held in sorted(files.items())))
    version = digest.hexdigest()[:16]
    _write(root / MODELS, version, files)
    return version


def _write(folder: Path, version: str, files: dict[str, bytes]) -> None:
    """All files appear at once, under their final name."""
    target = folder / version
    if target.exists():
        return
    aside = folder / f".{version}.{os.getpid()}.partial"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name, held in files.items():
        (aside / name).write_bytes(held)
    aside.rename(target)


def _card(model: TypeModel, catalogue: Catalogue) -> dict[str, Any]:
    """What is not in the boosters: columns, calibrations, rules as sentences."""
    return {
        "columns": model.columns,
        "slope": model.platt.slope,
        "shift": model.platt.shift,
        "offset": model.offset,
        "combined_slope": model.slope,
        "level": model.level,
        "rates": model.rates.as_json() if model.rates else None,
        "sway": model.sway.as_json() if model.sway else None,
        "methods": {one.method.value: {"slope": one.platt.slope, "shift": one.platt.shift} for one in model.others},
        "rules": [
            {"fold": n, **rule}
            for one in model.others
            for n, fitted in enumerate(one.models.models)
            if isinstance(fitted, RuleModel)
            for rule in _rules(fitted, model.columns, catalogue)
        ],
        "lines": [
            {"fold": n, "intercept": fitted.intercept, "weights": _lines(fitted, model.columns)}
            for one in model.others
            for n, fitted in enumerate(one.models.models)
            if isinstance(fitted, RuleModel)
        ],
        "sums": [
            {"fold": n, "intercept": fitted.line.intercept, "weights": _sums(fitted, model.columns)}
            for one in model.others
            for n, fitted in enumerate(one.models.models)
            if isinstance(fitted, LineModel)
        ],
    }


def _rules(fitted: RuleModel, columns: tuple[str, ...], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Each rule with its weight, how often it was kept, and how many rows and known cases it covered."""
    return [
        {
            "sentence": rule_sentence(w.rule, columns, catalogue),
            "conditions": [
                {
                    "column": columns[c.column],
                    "above": c.low if np.isfinite(c.low) else None,
                    "at_most": c.high if np.isfinite(c.high) else None,
                    "with_gap": c.with_gap,
                }
                for c in w.rule.conditions
            ],
            "weight": w.weight,
            "stability": w.stability,
            "rows": w.rows,
            "cases": w.cases,
        }
        for w in fitted.rules
    ]


def _lines(fitted: RuleModel, columns: tuple[str, ...]) -> dict[str, float]:
    return _named(fitted.prepared, fitted.lines, columns)


def _sums(fitted: LineModel, columns: tuple[str, ...]) -> dict[str, float]:
    return _named(fitted.prepared, fitted.line.weights, columns)


def _named(prepared: Prepared, weights: NDArray[np.float64], columns: tuple[str, ...]) -> dict[str, float]:
    names = [columns[n] for n in prepared.used] + [f"{columns[n]} (gap)" for n in prepared.gaps]
    return {name: float(weight) for name, weight in zip(names, weights, strict=True) if weight}


def _as_arrays(fitted: SimilarModel) -> bytes:
    """The learned likeness and the rows that vote; numpy stamps no time into the file."""
    arrays: dict[str, Any] = {
        "voters": fitted.voters,
        "is_case": fitted.is_case,
        "rows": fitted.rows,
        "correction": np.array(fitted.correction),
    }
    for number, net in enumerate(fitted.nets):
        for name in ("own", "low", "inner", "shift", "outer"):
            arrays[f"net{number}_{name}"] = getattr(net, name)
    held = io.BytesIO()
    np.savez(held, **arrays)
    return held.getvalue()
