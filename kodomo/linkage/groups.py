"""Put things together pair by pair, except where somebody said that two are different (identity side)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable


class Groups:
    """Members joined step by step; a join that would bring two together that must stay apart is left out.

    >>> groups = Groups([1, 2, 3], apart=[(1, 3)])
    >>> groups.join(1, 2), groups.join(2, 3), groups.parts()
    (True, False, [[1, 2], [3]])
    """

    def __init__(self, members: Iterable[int], apart: Collection[tuple[int, int]] = ()) -> None:
        self._first = {member: member for member in members}
        self._foes: dict[int, set[int]] = defaultdict(set)
        for one, other in apart:
            self._foes[one].add(other)
            self._foes[other].add(one)
        self._members: dict[int, list[int]] = {}

    def first(self, member: int) -> int:
        """The least member of the group that a member is in."""
        while self._first[member] != member:
            self._first[member] = self._first[self._first[member]]
            member = self._first[member]
        return member

    def join(self, one: int, other: int) -> bool:
        """Make one group of two members' groups; False when one is unknown here or a decision forbids it."""
        if one not in self._first or other not in self._first:
            return False
        a, b = sorted((self.first(one), self.first(other)))
        if a == b:
            return True
        left, right = self._of(a), self._of(b)
        if self._foes and any(self._foes[member] & set(right) for member in left if member in self._foes):
            return False
        self._first[b] = a
        self._members[a] = left + right
        return True

    def _of(self, first: int) -> list[int]:
        return self._members.get(first, [first])

    def parts(self) -> list[list[int]]:
        """All groups, each in order, in the order of their least members."""
        found: dict[int, list[int]] = defaultdict(list)
        for member in sorted(self._first):
            found[self.first(member)].append(member)
        return list(found.values())
