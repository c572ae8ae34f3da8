"""Logs without values: an exception's own text may hold a cell value, so only its kind and place are written (casework side)."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class NoValues(logging.Formatter):
    """Writes an exception as its kind and its frames, never its message."""

    def formatException(self, ei: ExceptionInfo) -> str:
        """Kind and frames."""
        kind, _, place = ei
        return f"{kind.__name__ if kind else '?'}\n{''.join(traceback.format_tb(place))}"
