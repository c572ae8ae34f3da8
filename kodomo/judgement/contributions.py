"""What each learned method's log-odds are made of, in parts that add up (analysis side).

Boosting gives exact contributions of every column, rule discovery its lines and rules, similar cases one
part: what past cases like this child say. A child's parts come from the models that never saw its household.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kodomo.features.catalogue import Catalogue
from kodomo.features.matrix import FeatureMatrix
from kodomo.judgement.boosting import fold_of
from kodomo.judgement.combine import shares_of
from kodomo.judgement.judge import TypeJudgement, model_values
from kodomo.judgement.learners.rule_discovery import Rule, RuleModel
from kodomo.judgement.learners.signed_line import LineModel
from kodomo.judgement.learning import TypeModel
from kodomo.judgement.methods import Fitted
from kodomo.judgement.rule_words import of_gaps_alone, rule_sentence
from kodomo.terms import Method

Array = NDArray[np.float64]

LIKE_CASES = "よく似た過去の事例に、把握された事例が多い"
LIKE_CASES_FEW = "よく似た過去の事例に、把握された事例が少ない"


@dataclass(frozen=True)
class Said:
    """One method's parts: ``columns`` per model column, ``extra`` per sentence, and the base.

    base + all of a row's parts = the method's calibrated log-odds.
    """

    columns: Array
    sentences: tuple[str, ...]
    extra: Array
    base: Array

    def times(self, share: float) -> Said:
        """All parts, weighed."""
        return Said(self.columns * share, self.sentences, self.extra * share, self.base * share)


def learned_contributions(
    judged: TypeJudgement, matrix: FeatureMatrix, group: NDArray[np.object_], catalogue: Catalogue
) -> dict[Method, Said]:
    """The parts of every learned method that speaks for the type, for the judged rows."""
    if judged.model is None:
        return {}
    model, rows = judged.model, judged.rows
    values = model_values(model, matrix, judged.scenario)[rows]
    own = group[rows]
    said = {Method.BOOSTING: _boosting(model, values, own)} if model.boosting_speaks else {}
    for one in model.others:
        if one.method is Method.RULES:
            said[one.method] = _rules(one, model, values, own, catalogue)
        elif one.method is Method.LINE:
            said[one.method] = _line(one, model, values, own)
        else:
            said[one.method] = _similar(judged.combination.learned[one.method][rows], len(model.columns))
    return said


def mean_said(said: Mapping[Method, Said]) -> Said:
    """The learned methods together, each with its share in their mean."""
    shares, several = shares_of(said), tuple(said.values())
    columns, base = np.zeros_like(several[0].columns), np.zeros_like(several[0].base)
    # Added up in place: a stack of all methods' parts of all children would be the largest thing in memory.
    for method, one in said.items():
        columns += one.columns * shares[method]
        base += one.base * shares[method]
    extra = np.column_stack([one.extra * shares[method] for method, one in said.items()])
    return Said(columns, tuple(sentence for one in several for sentence in one.sentences), extra, base)


def _boosting(model: TypeModel, values: Array, group: NDArray[np.object_]) -> Said:
    scaled = model.boosted.contributions(values, group) * model.platt.slope
    base = scaled[:, -1] + model.platt.slope * model.offset + model.platt.shift
    return Said(scaled[:, :-1], (), np.zeros((len(values), 0)), base)


def _line(one: Fitted, model: TypeModel, values: Array, group: NDArray[np.object_]) -> Said:
    folds = fold_of(group, model.boosted.seed)
    parts = np.zeros((len(values), len(model.columns) + 1))
    for number, fitted in enumerate(one.models.models):
        rows = np.flatnonzero(folds == number)
        if len(rows) and isinstance(fitted, LineModel):
            parts[rows] = fitted.contributions(values[rows]) * one.platt.slope
    return Said(parts[:, :-1], (), np.zeros((len(values), 0)), parts[:, -1] + one.platt.shift)


def _similar(logits: Array, columns: int) -> Said:
    """What the votes of past cases come to, beside what they come to for the middle child."""
    middle = float(np.median(logits)) if len(logits) else 0.0
    return Said(
        np.zeros((len(logits), columns)), (LIKE_CASES,), (logits - middle)[:, None], np.full(len(logits), middle)
    )


def _known(rule: Rule) -> Rule:
    """The rule as said of a child of whom all it looks at is known: without 「か、情報がない」."""
    return Rule(tuple(c if of_gaps_alone(c) else replace(c, with_gap=False) for c in rule.conditions))


def _rules(one: Fitted, model: TypeModel, values: Array, group: NDArray[np.object_], catalogue: Catalogue) -> Said:
    folds = fold_of(group, model.boosted.seed)
    fitted = [m for m in one.models.models if isinstance(m, RuleModel)]
    sentences = {w.rule: rule_sentence(_known(w.rule), model.columns, catalogue) for m in fitted for w in m.rules}
    distinct = tuple(sorted(set(sentences.values())))
    place = {text: n for n, text in enumerate(distinct)}
    columns, extra = np.zeros((len(values), len(model.columns))), np.zeros((len(values), len(distinct)))
    base = np.full(len(values), one.platt.shift)
    for number, part in enumerate(fitted):
        rows = np.flatnonzero(folds == number)
        if not len(rows):
            continue
        parts = part.contributions(values[rows]) * one.platt.slope
        named = [*part.prepared.used, *part.prepared.gaps]
        for n, column in enumerate(named):
            columns[rows, column] += parts[:, n]
        for n, weighed in enumerate(part.rules):
            # Where the rule rests on an empty cell its part is said of nobody: it belongs to the base of such children.
            looked_at = values[rows][:, [c.column for c in weighed.rule.conditions]]
            said, blind = parts[:, len(named) + n], np.isnan(looked_at).any(axis=1)
            extra[rows, place[sentences[weighed.rule]]] += np.where(blind, 0.0, said)
            base[rows] += np.where(blind, said, 0.0)
        base[rows] += parts[:, -1]
    return Said(columns, distinct, extra, base)
