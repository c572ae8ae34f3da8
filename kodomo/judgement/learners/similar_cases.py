"""類似事例推論: a child is judged by the past cases it resembles, and they are its explanation (analysis side).

Likeness is learned. Its lineage is Supervised Semantic Indexing (Bai et al. 2009), f(q, d) = qᵀ(UᵀU + I)d:
likeness as it is plus a learned low-rank part; here with one bent layer beside it, as a distance. The score
is a soft nearest neighbour (neighbourhood components analysis, Goldberger et al. 2005; ModernNCA, Ye et al.
2024): the share of votes of past cases of difficulty, each vote falling off with distance. All cases always
vote; of the others a draw votes, its weight corrected, so that rates of 2 % keep their level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kodomo.judgement.learners.cross_fit import Array
from kodomo.judgement.learners.linear import ridge_path
from kodomo.judgement.learners.preparing import Prepared, prepare

Small = NDArray[np.float32]

HIDDEN, PLACES = 64, 24
BATCH = 256
RIVALS = 512
CASES_AT_ONCE = 384
EPOCHS, STEPS_AT_LEAST, STEPS_AT_MOST = 12, 80, 240
MOMENTS = (0.1, 0.3, 0.6, 1.0)
"""Shares of the steps after which the likeness is looked at: on small tables it is best early."""

RATE, DECAY, DROP = 3e-3, 0.02, 0.15
VOTERS_AT_MOST = 6_000
NETS = 1


@dataclass
class _Net:
    """φ(x) = [x · own | (x · low-rank) | relu(x · W + b) · V]: distances between φ are the learned likeness."""

    own: Small
    low: Small
    inner: Small
    shift: Small
    outer: Small

    def parts(self) -> list[Small]:
        return [self.own, self.low, self.inner, self.shift, self.outer]

    def places(self, x: Small) -> Small:
        hidden = np.maximum(x @ self.inner + self.shift, 0)
        return np.concatenate([x * self.own, x @ self.low + hidden @ self.outer], axis=1)

    def copy(self) -> _Net:
        return _Net(*(p.copy() for p in self.parts()))


def _start(columns: int, direction: Small, generator: np.random.Generator) -> _Net:
    low = generator.normal(0, 0.3 / np.sqrt(columns), (columns, PLACES)).astype(np.float32)
    low[:, 0] = direction
    return _Net(
        own=np.full(columns, 0.35 / np.sqrt(columns), dtype=np.float32),
        low=low,
        inner=generator.normal(0, 1 / np.sqrt(columns), (columns, HIDDEN)).astype(np.float32),
        shift=np.zeros(HIDDEN, dtype=np.float32),
        outer=generator.normal(0, 0.3 / np.sqrt(HIDDEN), (HIDDEN, PLACES)).astype(np.float32),
    )


def _distances(a: Small, b: Small) -> Small:
    return np.asarray(np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1)[None, :] - 2 * a @ b.T, 0), dtype=np.float32)


def _log_votes(minus: Small) -> tuple[Small, Small]:
    """log Σ exp over each row, and each one's share of it."""
    top = minus.max(axis=1, keepdims=True)
    weights = np.exp(minus - top)
    total = weights.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], weights / total


@dataclass(frozen=True)
class SimilarModel:
    """Learned likeness and the past cases that vote.

    ``correction`` is what the votes of the drawn others are short of, in log.
    """

    prepared: Prepared
    nets: tuple[_Net, ...]
    voters: Small
    is_case: NDArray[np.bool_]
    rows: NDArray[np.int64]
    correction: float

    def logits(self, x: Array) -> Array:
        """Log-odds: log of the votes of cases over the votes of the others."""
        z = self.prepared.normal_scores(x).astype(np.float32)
        answer = np.zeros(len(z))
        for net in self.nets:
            cases, others = net.places(self.voters[self.is_case]), net.places(self.voters[~self.is_case])
            for start in range(0, len(z), 1_000):
                own = net.places(z[start : start + 1_000])
                up, _ = _log_votes(-_distances(own, cases))
                down, _ = _log_votes(-_distances(own, others))
                answer[start : start + 1_000] += up - down - self.correction
        return answer / len(self.nets)

    def nearest(self, x: Array, count: int = 5) -> tuple[NDArray[np.int64], Array]:
        """Each row's most similar past cases: their row in the training table, and their share of all votes.

        Both cases and others can be among them; a voter drawn for many stands for one of them.
        """
        z = self.prepared.normal_scores(x).astype(np.float32)
        scale = np.where(self.is_case, 0.0, self.correction).astype(np.float32)
        votes = np.zeros((len(z), len(self.voters)), dtype=np.float32)
        for net in self.nets:
            _, shares = _log_votes(-_distances(net.places(z), net.places(self.voters)) + scale)
            votes += shares / len(self.nets)
        alone = votes * np.exp(-scale)
        best = np.argsort(-alone, axis=1, kind="stable")[:, :count]
        return self.rows[best], np.take_along_axis(votes, best, axis=1).astype(np.float64)

    def distances(self, x: Array, others: Array) -> Small:
        """How unlike each row of ``x`` is to each of ``others``, by the learned likeness: mean over the nets."""
        a, b = (self.prepared.normal_scores(rows).astype(np.float32) for rows in (x, others))
        found = [_distances(net.places(a), net.places(b)) for net in self.nets]
        return np.asarray(np.mean(found, axis=0), dtype=np.float32)


@dataclass(frozen=True)
class SimilarPath:
    """Likeness at several moments of learning."""

    moments: tuple[SimilarModel, ...]

    def path(self, x: Array) -> Array:
        """Log-odds at each moment."""
        return np.array([model.logits(x) for model in self.moments])

    def at(self, setting: int) -> SimilarModel:
        """The model at one moment."""
        return self.moments[setting]


@dataclass(frozen=True)
class SimilarCases:
    """The learner."""

    nets: int = NETS
    name: str = "similar_cases"

    def fit(self, x: Array, y: Array, *, seed: int, weight: Array | None = None) -> SimilarPath:
        """Learn the likeness; ``weight`` is not used, every past case has one vote."""
        generator = np.random.default_rng(seed)
        prepared = prepare(x)
        z = prepared.normal_scores(x).astype(np.float32)
        cases, others = np.flatnonzero(y > 0), np.flatnonzero(y == 0)
        moments = [_learn(z, y, cases, others, generator) for _ in range(self.nets)]
        kept = np.sort(generator.choice(others, min(len(others), VOTERS_AT_MOST), replace=False))
        rows = np.concatenate([cases, kept])
        correction = float(np.log(len(others) / len(kept)))
        is_case = np.r_[np.ones(len(cases), bool), np.zeros(len(kept), bool)]
        return SimilarPath(
            tuple(
                SimilarModel(prepared, tuple(m[n] for m in moments), z[rows], is_case, rows, correction)
                for n in range(len(MOMENTS))
            )
        )


def _learn(
    z: Small, y: Array, cases: NDArray[np.int64], others: NDArray[np.int64], generator: np.random.Generator
) -> list[_Net]:
    """Stochastic descent with decoupled decay (AdamW, Loshchilov & Hutter 2019); averages of the late steps."""
    net = _start(z.shape[1], _direction(z, y), generator)
    moving = [(np.zeros_like(p), np.zeros_like(p)) for p in net.parts()]
    steps = int(np.clip(EPOCHS * len(z) // BATCH, STEPS_AT_LEAST, STEPS_AT_MOST))
    mean, kept = net.copy(), []
    moments = {max(1, round(steps * share)) for share in MOMENTS}
    for step in range(1, steps + 1):
        slopes = _slopes(net, z, cases, others, generator)
        rate = RATE * min(1.0, step / 20) * (0.5 + 0.5 * np.cos(np.pi * step / (steps + 1)))
        for part, slope, (first, second) in zip(net.parts(), slopes, moving, strict=True):
            first += 0.1 * (slope - first)
            second += 0.01 * (slope * slope - second)
            move = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
            part -= (rate * (move + (DECAY * part if part.ndim == 2 else 0))).astype(np.float32)
        for late, part in zip(mean.parts(), net.parts(), strict=True):
            late += max(0.03, 1 / step) * (part - late)
        if step in moments:
            kept.append(mean.copy())
    return kept


def _direction(z: Small, y: Array) -> Small:
    """Where a logistic line would go: the first learned direction starts there, scaled to tell rates apart."""
    line = ridge_path(z.astype(np.float64), y, np.array([0.3, 0.03]))[-1]
    spread = float((z @ line.weights).std()) or 1.0
    return np.asarray(line.weights / np.sqrt(spread), dtype=np.float32)


def _slopes(
    net: _Net, z: Small, cases: NDArray[np.int64], others: NDArray[np.int64], generator: np.random.Generator
) -> list[Small]:
    """Slopes of the mean log-loss of one batch, each row voted on by all cases and a draw of others but itself."""
    batch = generator.choice(len(z), min(BATCH, len(z)), replace=False)
    up_rows = cases if len(cases) <= CASES_AT_ONCE else generator.choice(cases, CASES_AT_ONCE, replace=False)
    down_rows = others if len(others) <= RIVALS else generator.choice(others, RIVALS, replace=False)
    rows = np.concatenate([batch, up_rows, down_rows])
    x = z[rows]
    raw = x @ net.inner + net.shift
    keep = (generator.random(raw.shape, dtype=np.float32) > DROP).astype(np.float32) / np.float32(1 - DROP)
    hidden = np.maximum(raw, 0) * keep
    place = np.concatenate([x * net.own, x @ net.low + hidden @ net.outer], axis=1)
    b, u = len(batch), len(up_rows)
    own, up, down = place[:b], place[b : b + u], place[b + u :]
    to_up, to_down = -_distances(own, up), -_distances(own, down)
    to_up[batch[:, None] == up_rows[None, :]] = -np.inf
    to_down[batch[:, None] == down_rows[None, :]] = -np.inf
    level_up, share_up = _log_votes(to_up)
    level_down, share_down = _log_votes(to_down)
    logits = level_up - level_down + np.float32(np.log(len(cases) / u) - np.log(len(others) / len(down_rows)))
    is_case = np.zeros(len(z), dtype=np.float32)
    is_case[cases] = 1
    off = ((1 / (1 + np.exp(-np.clip(logits, -30, 30)))) - is_case[batch]) / np.float32(b)
    # d logit / d distance is minus the share towards cases, plus the share towards the others.
    pull = np.concatenate([-off[:, None] * share_up, off[:, None] * share_down], axis=1)
    rest = place[b:]
    slope_own = 2 * (pull.sum(1)[:, None] * own - pull @ rest)
    slope_rest = 2 * (pull.sum(0)[:, None] * rest - pull.T @ own)
    slope = np.concatenate([slope_own, slope_rest])
    width = z.shape[1]
    slope_places = slope[:, width:]
    back = (slope_places @ net.outer.T) * keep * (raw > 0)
    return [
        (slope[:, :width] * x).sum(0),
        x.T @ slope_places,
        x.T @ back,
        back.sum(0),
        hidden.T @ slope_places,
    ]
