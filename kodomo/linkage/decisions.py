"""What people decided about who is who, whatever the rules say: it holds in every run until it is undone (identity side).

A decision is a list of pairs of landed records, each *the same person* or *not*. It comes from the
review of a doubtful pair (``P7``) or from joining, separating or restoring persons (``D12``).
"""

from __future__ import annotations

import datetime as dt

from kodomo.linkage.changes import Decided
from kodomo.linkage.review import Decision, decided_pairs


def decisions_made() -> list[Decision]:
    """What holds of what people decided, oldest first."""
    from kodomo.vault.models import PersonDecision

    made = [(moment, [decision]) for moment, _, decision in decided_pairs()]
    for one in PersonDecision.objects.using("vault").filter(undone_at=None):
        made.append((one.decided_at, [(left, right, bool(is_same)) for left, right, is_same in one.pairs]))
    return [pair for _, found in sorted(made, key=lambda entry: entry[0]) for pair in found]


def decided_since(day: dt.datetime) -> list[Decided]:
    """Decisions made or undone after a moment, oldest first, as the history names them."""
    from kodomo.vault.models import PersonDecision

    found = [
        (moment, Decided(f"P{pair}", frozenset((left, right))))
        for moment, pair, (left, right, _) in decided_pairs() if moment > day
    ]  # fmt: skip
    for one in PersonDecision.objects.using("vault").all():
        moment = one.undone_at or one.decided_at
        if moment > day:
            name = f"D{one.pk}(取消し)" if one.undone_at else f"D{one.pk}"
            refs = frozenset(ref for left, right, _ in one.pairs for ref in (left, right))
            found.append((moment, Decided(name, refs)))
    return [decided for _, decided in sorted(found, key=lambda entry: entry[0])]
