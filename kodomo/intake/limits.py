"""How much of anything one delivered file may be (identity side).

The figures are far above what a city of 300,000 prints and far below what hurts a small server.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Bounds on one delivery. Sizes in bytes, times in seconds, lengths in characters."""

    files: int = 10_000
    depth: int = 12
    file_bytes: int = 512 * MIB
    archive_entries: int = 2_000
    unpacked_bytes: int = 1024 * MIB
    ratio: int = 150
    """Unpacked to packed. Sheets of real extracts stay below 40; a crafted one reached 247 at 178 KB."""
    ratio_counts_from: int = 4 * MIB
    columns: int = 500
    header_characters: int = 50_000
    cell_characters: int = 32_767
    line_characters: int = MIB
    rows: int = 5_000_000
    quote_faults: int = 1_000
    memory_bytes: int = 3072 * MIB
    cpu_seconds: int = 600
    wall_seconds: int = 1_200


LIMITS = Limits()
