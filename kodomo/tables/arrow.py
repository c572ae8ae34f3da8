"""Arrow as the stages use it (shared ground)."""

from __future__ import annotations

import sys

import pyarrow as pa


def leave_pandas_out() -> None:
    """Keep Arrow from importing pandas, at ten times the cost of all the rest, only to ask whether a list is of its kind.

    Arrow looks for pandas once, with the first list it is given. Having looked in vain it doesn't again until somebody
    asks for a data frame, and whoever imports pandas by name gets it as ever. For stages that hand no pandas objects over.
    """
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _WithoutPandas)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(_WithoutPandas)


class _WithoutPandas:
    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ImportError(name)
