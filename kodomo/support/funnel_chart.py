"""The funnel as SVG drawn on the server: it prints, needs no script, and stands beside its table (casework side)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, LABEL, ROW = 720, 210, 28


def funnel_chart(rows: Sequence[tuple[str, str, int]], caption: str) -> SafeString:
    """One bar a step.

    Args:
        rows: words of the step, its count as it may be shown, and the bar's length in per cent of the first (0 for none).
    """
    longest = WIDTH - LABEL - 90
    body = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="end">{}</text><rect class="chart__bar" x="{}" y="{}" width="{}" height="{}"/>'
        '<text x="{}" y="{}">{}</text>',
        (
            (LABEL - 8, ROW * n + 19, words, LABEL, ROW * n + 5, longest * share // 100, ROW - 10,
             LABEL + longest * share // 100 + 8, ROW * n + 19, count)
            for n, (words, count, share) in enumerate(rows)
        ),
    )  # fmt: skip
    height = ROW * len(rows) + 4
    return format_html(
        '<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>',
        caption, WIDTH, height, WIDTH, height, body,
    )  # fmt: skip
