"""Every data item of the register beside its worth and its sensitivity, for the committee (analysis side)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kodomo.configuration import Municipality
from kodomo.evaluation.figures import places_of
from kodomo.evaluation.outcomes import Outcome
from kodomo.evaluation.worth import Watched, Worth, worth_of_items
from kodomo.governance.register import Register
from kodomo.governance.suppression import Suppression
from kodomo.judgement.capacities import capacities
from kodomo.judgement.criteria import Criteria
from kodomo.judgement.judge import Judged
from kodomo.terms import difficulty_label


def item_lines(
    judged: Judged, outcomes: Sequence[Outcome], criteria: Criteria, municipality: Municipality, register: Register
) -> list[dict[str, Any]]:
    """Every item beside its sensitivity: of the later cases within capacity, the share lost without it; of the children
    within it, the share that would be others.

    Types with too few cases take no part in the first; an item that serves none of the others has no such figure.
    """
    rule = Suppression(municipality.suppression_threshold, municipality.rounding_base)
    places = capacities(municipality)
    watched = [
        Watched(o.type, o.rows, o.positive, sum(places_of(len(o.keys), places.of_type(o.type))),
                has_enough=bool(o.positive.sum() > rule.threshold))
        for o in outcomes
        if len(o.keys)
    ]  # fmt: skip
    return [
        {
            "item": worth.item,
            "caption": register.caption(worth.item),
            "sensitivity": register.items[worth.item].sensitivity.label if worth.item in register.items else "",
            "types": [difficulty_label(kind) for kind in worth.changed],
            "lost_share": round(worth.lost_share, 3) if sum(worth.reached.values()) > rule.threshold else None,
            "changed_share": _changed_share(worth, rule),
        }
        for worth in worth_of_items(judged, criteria, watched)
    ]


def _changed_share(worth: Worth, rule: Suppression) -> float | None:
    share = rule.share(sum(worth.changed.values()), sum(worth.places.values()))
    return None if share is None else round(share, 3)
