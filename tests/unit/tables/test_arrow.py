"""Pandas stays out until somebody wants a data frame."""

from __future__ import annotations

import subprocess
import sys

SAYS = """
import sys
import pyarrow as pa
from kodomo.tables.arrow import leave_pandas_out
leave_pandas_out()
table = pa.table({"n": pa.array([1, 2])})
print("pandas" in sys.modules, table.to_pylist() == [{"n": 1}, {"n": 2}], table.to_pandas()["n"].sum(), "pandas" in sys.modules)
import pandas
leave_pandas_out()
print(pa.array(pandas.Series([1.5, 2.5])).to_pylist(), pa.Table.from_pandas(pandas.DataFrame({"a": [1]})).num_rows)
"""


def test_arrow_does_without_pandas_until_a_frame_is_asked_for():
    said = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["False True 3 True", "[1.5, 2.5] 1"]
