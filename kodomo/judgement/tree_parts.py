"""Exact additive parts of sums of small trees, by looking them up (analysis side).

What a tree says of a child depends only on the answers at its inner nodes: a tree of eight leaves has seven of
them, so at most 128 different sets of answers. The Shapley values of each set (path-dependent TreeSHAP, Lundberg
et al. 2020, as LightGBM's ``pred_contrib`` defines them) are worked out once per tree; a child's part is then read
from the table. LightGBM works them out anew for every child: the same values to rounding, some fifteen times slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

NODES_AT_MOST = 8
"""A tree with more inner nodes would need a table of more than 256 columns: LightGBM is asked instead."""
_KNOWN_ANSWERS = (2, 0, 8, 10)
"""``decision_type`` of LightGBM that a table covers: numbers; a gap is read as zero, or goes right (8) or left (10)."""
_GAP_LEFT, _GAP_RIGHT, _GAP_ZERO = 0, 1, 2


@dataclass(frozen=True)
class Tree:
    """One tree as LightGBM writes it. Node ``n``'s child ``c``: an inner node, or leaf ``~c`` where it is negative."""

    feature: Numbers
    threshold: Array
    gap: Numbers
    children: Numbers
    value: Array
    share: Array
    """Share of each inner node's training rows that its left and its right child hold."""
    base: float
    """Mean of the leaves over the training rows."""


@dataclass(frozen=True)
class TreeParts:
    """Trees with their tables: ``parts[t, k, answers]`` is what tree ``t`` gives its ``k``-th column."""

    columns: int
    base: float
    feature: Numbers
    threshold: Array
    gap: Numbers
    slots: tuple[Numbers, ...]
    parts: Array

    def of(self, values: Array) -> Array:
        """The parts of each row of ``values``: one column per feature, and a last one for the base."""
        # Three readings of a gap: as a number below all others, as one that compares with nothing, and as zero.
        own = np.ascontiguousarray(values.T)
        gaps = np.isnan(own)
        readings = np.concatenate([np.where(gaps, -np.inf, own), own, np.where(gaps, 0.0, own)])
        answer = np.zeros((self.columns + 1, len(values)))
        answer[-1] = self.base
        for tree, slots in enumerate(self.slots):
            nodes = np.flatnonzero(self.feature[tree] >= 0)
            asked = readings[self.gap[tree, nodes] * self.columns + self.feature[tree, nodes]]
            goes_left = asked <= self.threshold[tree, nodes][:, None]
            answers = np.packbits(goes_left, axis=0, bitorder="little")[0]
            answer[slots] += self.parts[tree, : len(slots)].take(answers, axis=1)
        return answer.T


def read_tables(text: str, columns: int) -> TreeParts | None:
    """The tables of one model's text; None where a tree is too large or asks what a table cannot answer."""
    trees = []
    for block in text.split("\nTree=")[1:]:
        tree = _read_tree(block)
        if tree is None:
            return None
        trees.append(tree)
    grown = [tree for tree in trees if len(tree.feature)]
    return _tables(grown, columns, sum(tree.base for tree in trees))


def _read_tree(block: str) -> Tree | None:
    lines = dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)
    value = _numbers(lines["leaf_value"])
    if int(lines["num_leaves"]) == 1:
        none = np.zeros(0, np.int64)
        return Tree(none, np.zeros(0), none, np.zeros((0, 2), np.int64), value, np.zeros((0, 2)), float(value[0]))
    kinds = _numbers(lines["decision_type"]).astype(np.int64)
    if len(kinds) > NODES_AT_MOST or not np.isin(kinds, _KNOWN_ANSWERS).all():
        return None
    children = np.column_stack([_numbers(lines["left_child"]), _numbers(lines["right_child"])]).astype(np.int64)
    inner, leaves = _numbers(lines["internal_count"]), _numbers(lines["leaf_count"])
    held = np.where(children >= 0, inner[np.maximum(children, 0)], leaves[np.maximum(~children, 0)])
    return Tree(
        feature=_numbers(lines["split_feature"]).astype(np.int64),
        threshold=_numbers(lines["threshold"]),
        gap=np.where(kinds < 8, _GAP_ZERO, np.where(kinds == 8, _GAP_RIGHT, _GAP_LEFT)),
        children=children,
        value=value,
        share=held / inner[:, None],
        base=float(leaves @ value / inner[0]),
    )


def _numbers(text: str) -> Array:
    return np.array(text.split(), dtype=np.float64)


@dataclass(frozen=True)
class _Leaf:
    """A leaf's way from the root, its columns told once: the share of rows that answer as it asks, and which answers."""

    tree: int
    value: float
    slots: tuple[int, ...]
    shares: tuple[float, ...]
    nodes: tuple[int, ...]
    wanted: tuple[int, ...]


def _tables(trees: Sequence[Tree], columns: int, base: float) -> TreeParts:
    most = max((len(tree.feature) for tree in trees), default=0)
    feature = np.full((len(trees), most), -1, np.int64)
    threshold, gap = np.zeros((len(trees), most)), np.zeros((len(trees), most), np.int64)
    leaves: dict[int, list[_Leaf]] = {}
    slots = []
    for number, tree in enumerate(trees):
        size = len(tree.feature)
        feature[number, :size], threshold[number, :size], gap[number, :size] = tree.feature, tree.threshold, tree.gap
        own, place = np.unique(tree.feature, return_inverse=True)
        slots.append(own)
        for leaf in _leaves(tree, number, place):
            leaves.setdefault(len(leaf.slots), []).append(leaf)
    parts = np.zeros((len(trees) * most, 1 << most))
    for depth, alike in leaves.items():
        _add_leaves(parts, alike, depth, most)
    return TreeParts(columns, base, feature, threshold, gap, tuple(slots), parts.reshape(len(trees), most, 1 << most))


def _leaves(tree: Tree, number: int, place: NDArray[np.intp]) -> list[_Leaf]:
    found = []
    waiting: list[tuple[int, dict[int, tuple[float, int, int]]]] = [(0, {})]
    while waiting:
        node, way = waiting.pop()
        if node < 0:
            held = sorted(way.items())
            found.append(
                _Leaf(
                    number,
                    float(tree.value[~node]),
                    tuple(slot for slot, _ in held),
                    tuple(one[0] for _, one in held),
                    tuple(one[1] for _, one in held),
                    tuple(one[2] for _, one in held),
                )
            )
            continue
        slot = int(place[node])
        share, nodes, wanted = way.get(slot, (1.0, 0, 0))
        for side, goes_left in ((0, 1), (1, 0)):
            step = (share * float(tree.share[node, side]), nodes | 1 << node, wanted | goes_left << node)
            waiting.append((int(tree.children[node, side]), way | {slot: step}))
    return found


def _add_leaves(parts: Array, leaves: Sequence[_Leaf], depth: int, most: int) -> None:
    """Add to the tables the Shapley values of leaves whose ways hold ``depth`` different columns.

    With z the share of a column's training rows that answer as the leaf asks and h whether this child does, the
    column's part is value · (h - z) · ∫ Π over the others ((1 - t) z + t h) dt for t from 0 to 1: the weights of
    the coalitions are that integral's. A polynomial of degree depth - 1: Gauss and Legendre's points give it exactly.
    """
    points, weights = np.polynomial.legendre.leggauss((depth + 1) // 2)
    points, weights = (points + 1) / 2, weights / 2
    sets = np.arange(1 << depth)
    held = (sets[:, None] >> np.arange(depth) & 1).astype(np.float64)
    shares = np.array([leaf.shares for leaf in leaves])[:, None, :]
    value = np.array([leaf.value for leaf in leaves])[:, None, None]
    integral = np.zeros((len(leaves), len(sets), depth))
    for point, weight in zip(points, weights, strict=True):
        factors = (1 - point) * shares + point * held
        integral += weight * factors.prod(axis=2, keepdims=True) / factors
    said = value * (held - shares) * integral
    # Which columns of each leaf's way a set of answers fulfils.
    every = np.arange(1 << most)
    fulfilled = np.zeros((len(leaves), len(every)), np.int64)
    for k in range(depth):
        nodes = np.array([leaf.nodes[k] for leaf in leaves])[:, None]
        wanted = np.array([leaf.wanted[k] for leaf in leaves])[:, None]
        fulfilled |= ((every & nodes) == wanted).astype(np.int64) << k
    tree = np.array([leaf.tree for leaf in leaves])
    for k in range(depth):
        rows = tree * most + np.array([leaf.slots[k] for leaf in leaves])
        np.add.at(parts, rows, np.take_along_axis(said[:, :, k], fulfilled, axis=1))
