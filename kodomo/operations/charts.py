"""Charts as SVG drawn on the server: they print, work without scripts, and stand beside their table (casework side)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 460, 52, 16, 12, 34
CURVE_HEIGHT, ROW_HEIGHT, LABEL_WIDTH = 260, 30, 150

Interval = tuple[str, float, float | None, float | None]
"""A label, a value, and the ends of its 95 % interval where there is one."""


def curve(
    points: Sequence[tuple[float, float]], caption: str, spread: Sequence[tuple[float, float, float]] = ()
) -> SafeString:
    """Share reached over share reviewed, to one half; the dotted line is what chance would reach.

    Args:
        points: (share reviewed, share reached), both 0–1, in ascending order.
        spread: (share reviewed, least, most) of the share reached, where its interval is known.
    """
    edge = [_on_curve(x, most) for x, _, most in spread] + [_on_curve(x, least) for x, least, _ in reversed(spread)]
    band = " ".join(f"{x:.1f},{y:.1f}" for x, y in edge)
    dots = [_on_curve(x, y) for x, y in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in [_on_curve(0, 0), *dots])
    (x0, y0), (x1, y1) = _on_curve(0, 0), _on_curve(0.5, 0.5)
    grid = [("x", _on_curve(s, 0), f"{s:.0%}") for s in (0, 0.1, 0.2, 0.3, 0.4, 0.5)]
    grid += [("y", _on_curve(0, r), f"{r:.0%}") for r in (0, 0.25, 0.5, 0.75, 1.0)]
    body = [
        *(_grid(*one) for one in grid),
        *([format_html('<polygon class="chart__spread" points="{}"/>', band)] if band else []),
        _line(x0, y0, x1, y1, "chart__chance"),
        format_html('<polyline class="chart__line" points="{}"/>', line),
        format_html_join("", '<circle class="chart__dot" cx="{}" cy="{}" r="4"/>', [_words(x, y) for x, y in dots]),
    ]
    return _svg(body, CURVE_HEIGHT, caption)


def two_curves(
    now: Sequence[tuple[float, float | None]], then: Sequence[tuple[float, float | None]], caption: str
) -> SafeString:
    """Two curves as ``curve`` draws one: what judges now dashed, what is tried full. Points without a value are left out."""
    grid = [("x", _on_curve(s, 0), f"{s:.0%}") for s in (0, 0.1, 0.2, 0.3, 0.4, 0.5)]
    grid += [("y", _on_curve(0, r), f"{r:.0%}") for r in (0, 0.25, 0.5, 0.75, 1.0)]
    body = [_grid(*one) for one in grid]
    for points, kind in ((now, "chart__line chart__line--now"), (then, "chart__line")):
        dots = [_on_curve(x, y) for x, y in points if y is not None]
        if dots:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in [_on_curve(0, 0), *dots])
            body.append(format_html('<polyline class="{}" points="{}"/>', kind, path))
    return _svg(body, CURVE_HEIGHT, caption)


def intervals(
    rows: Sequence[Interval], caption: str, *, lowest: float = 0.4, highest: float = 1.0, even: float = 0.5
) -> SafeString:
    """One value with its interval on each line; the dotted line is chance (``even``)."""

    def at(value: float) -> float:
        clipped = min(max(value, lowest), highest)
        return LABEL_WIDTH + (clipped - lowest) / (highest - lowest) * (WIDTH - LABEL_WIDTH - RIGHT)

    height = TOP + ROW_HEIGHT * len(rows) + BOTTOM
    body = [_line(at(even), TOP, at(even), height - BOTTOM, "chart__chance")]
    for place, (label, value, low, high) in enumerate(rows):
        y = TOP + ROW_HEIGHT * (place + 0.5)
        body.append(_text(LABEL_WIDTH - 8, y + 5, "end", label))
        if low is not None and high is not None:
            body.append(_line(at(low), y, at(high), y, "chart__range"))
        body.append(format_html('<circle class="chart__dot" cx="{}" cy="{}" r="5"/>', *_words(at(value), y)))
    steps = [lowest + (highest - lowest) * n / 6 for n in range(7)]
    body += [_text(at(step), height - BOTTOM + 18, "middle", f"{step:.1f}") for step in steps]
    return _svg(body, height, caption)


def bars(
    rows: Sequence[tuple[str, float]], caption: str, *, most: float, limits: Sequence[float] = (), form: str = ".0%"
) -> SafeString:
    """One bar a line, its figure behind it; ``limits`` are dotted lines to compare with."""

    def length(value: float) -> float:
        return max(0.0, min(value, most)) / most * (WIDTH - LABEL_WIDTH - RIGHT - 48)

    height = TOP + ROW_HEIGHT * len(rows) + TOP
    body = [_line(LABEL_WIDTH + length(x), TOP, LABEL_WIDTH + length(x), height - TOP, "chart__chance") for x in limits]
    for place, (label, value) in enumerate(rows):
        y = TOP + ROW_HEIGHT * place + 5
        body.append(_text(LABEL_WIDTH - 8, y + 15, "end", label))
        words = (*_words(LABEL_WIDTH, y), f"{length(value):.1f}", ROW_HEIGHT - 10)
        body.append(format_html('<rect class="chart__bar" x="{}" y="{}" width="{}" height="{}"/>', *words))
        body.append(_text(LABEL_WIDTH + length(value) + 6, y + 15, "start", format(value, form)))
    return _svg(body, height, caption)


def _svg(body: Sequence[SafeString], height: float, caption: str) -> SafeString:
    joined = format_html_join("", "{}", ((part,) for part in body))
    return format_html(
        '<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>',
        caption, WIDTH, round(height), WIDTH, round(height), joined,
    )  # fmt: skip


def _on_curve(share: float, reached: float) -> tuple[float, float]:
    x = LEFT + min(share, 0.5) / 0.5 * (WIDTH - LEFT - RIGHT)
    return x, CURVE_HEIGHT - BOTTOM - reached * (CURVE_HEIGHT - BOTTOM - TOP)


def _grid(axis: str, place: tuple[float, float], words: str) -> SafeString:
    x, y = place
    if axis == "x":
        return _text(x, y + 20, "middle", words)
    return format_html("{}{}", _line(x, y, WIDTH - RIGHT, y, "chart__grid"), _text(x - 8, y + 5, "end", words))


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> SafeString:
    return format_html('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>', kind, *_words(x1, y1), *_words(x2, y2))


def _text(x: float, y: float, anchor: str, words: str) -> SafeString:
    return format_html('<text x="{}" y="{}" text-anchor="{}">{}</text>', *_words(x, y), anchor, words)


def _words(*places: float) -> tuple[str, ...]:
    return tuple(f"{place:.1f}" for place in places)
