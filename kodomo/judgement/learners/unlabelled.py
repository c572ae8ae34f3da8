"""Learning where the rest is unlabelled, not negative: bagging (analysis side).

Of the children without a label some are cases nobody has recognised. Each bag sets all known cases against
a draw of the unlabelled, so that a hidden case is named a non-case in a few bags only, and the bags' log-odds
are averaged (Mordelet & Vert 2014). Bags rank well and level badly: calibrate afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np

from kodomo.judgement.learners.boosting import BoostedPath, Boosting
from kodomo.judgement.learners.cross_fit import Array

BAGS = 9
PER_CASE = 10.0
LEAST = 600
"""A bag's draw: ten unlabelled a known case (one or three measured worse on real tables), never fewer rows than this."""

ROUNDS = (60, 120, 200, 300)
BOOSTING = Boosting(rounds=ROUNDS)


@dataclass(frozen=True)
class BaggedBoosting:
    """Boosting over bags of known cases and drawn unlabelled rows."""

    boosting: Boosting = BOOSTING
    bags: int = BAGS
    per_case: float = PER_CASE
    name: str = "boosting"

    def fit(self, x: Array, y: Array, *, seed: int, weight: Array | None = None) -> BoostedPath:
        """Fit a booster of alternating members on each bag."""
        generator = np.random.default_rng(seed)
        cases, rest = np.flatnonzero(y > 0), np.flatnonzero(y == 0)
        size = min(len(rest), max(LEAST, round(self.per_case * len(cases))))
        boosters: list[lgb.Booster] = []
        for bag in range(self.bags):
            rows = np.sort(np.concatenate([cases, generator.choice(rest, size, replace=False)]))
            member = self.boosting.members[bag % len(self.boosting.members)]
            one = replace(self.boosting, members=(member,))
            own = None if weight is None else weight[rows]
            boosters += one.fit(x[rows], y[rows], seed=seed + 10 * bag, weight=own).boosters
        return BoostedPath(tuple(boosters), self.boosting.rounds)
