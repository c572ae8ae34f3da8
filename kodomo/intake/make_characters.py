"""Makes the table of characters that count as one, from the national map and our own list (identity side).

Run by a developer when the map or ``MIXED_IN_PRACTICE`` changes: ``python -m kodomo.intake.make_characters``.
"""

from __future__ import annotations

import zlib
from functools import cache

from jntajis import mj_shrink_candidates

from kodomo.intake.characters import MIXED_IN_PRACTICE, TABLE

ALL_SCHEMES = 15  # 包摂・類推・告示582号・戸籍法関連: every scheme of the MJ縮退マップ

_KANJI_BLOCKS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x2FA20))


def worked_out() -> dict[int, str]:
    """Code point -> the character that stands for its class, for every kanji that has company.

    Two everyday characters (JIS level 1) are one only when ``MIXED_IN_PRACTICE`` says so: chains of
    rare look-alikes in the map would otherwise make 玉 and 王 the same.
    """
    parent: dict[str, str] = {}

    def root(character: str) -> str:
        while parent.get(character, character) != character:
            character = parent[character]
        return character

    def join(one: str, other: str) -> None:
        a, b = sorted((root(one), root(other)), key=_rank)
        if a != b and not (_is_everyday(a) and _is_everyday(b)):
            parent[b] = a

    for group in MIXED_IN_PRACTICE:
        chosen = next((c for c in group if _is_everyday(c)), group[0])
        parent.update({other: chosen for other in group if other != chosen})
    for first, last in _KANJI_BLOCKS:
        for character in map(chr, range(first, last)):
            for candidate in mj_shrink_candidates(character, ALL_SCHEMES)[:1]:
                join(character, candidate)
    return {ord(c): root(c) for c in parent if root(c) != c}


@cache
def _is_everyday(character: str) -> bool:
    try:
        code = int.from_bytes(character.encode("shift_jis"), "big")
    except UnicodeEncodeError:
        return False
    return 0x889F <= code <= 0x9872


def _rank(character: str) -> tuple[bool, bool, bool, int]:
    # The most everyday character stands for its class, because people read the normal forms too.
    try:
        character.encode("shift_jis")
        is_jis = True
    except UnicodeEncodeError:
        is_jis = False
    return not _is_everyday(character), not is_jis, not 0x4E00 <= ord(character) <= 0x9FFF, ord(character)


def main() -> None:
    """Write the table, sorted, so that the same map gives the same bytes."""
    pairs = "".join(chr(code) + chosen for code, chosen in sorted(worked_out().items()))
    TABLE.write_bytes(zlib.compress(pairs.encode(), 9))


if __name__ == "__main__":
    main()
