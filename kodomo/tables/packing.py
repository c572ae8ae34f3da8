"""A table as the bytes of a Parquet file, for files that are always read whole (shared ground)."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq


def packed(data: pa.Table | pa.RecordBatchReader) -> bytes:
    """A table, whole or piece by piece as it is read.

    Without statistics, which serve only who reads a part, and with dictionaries for text alone: numbers and hashes
    are seldom repeated, and looking for repetitions took half of the time and made the file larger.
    """
    body = io.BytesIO()
    texts = [
        field.name for field in data.schema if pa.types.is_string(field.type) or pa.types.is_dictionary(field.type)
    ]
    # zstd makes a third less of it and takes half as long again: a month's files wait for neither disk nor wire.
    options = {"compression": "lz4", "use_dictionary": texts or False, "write_statistics": False}
    with pq.ParquetWriter(body, data.schema, **options) as writer:
        for piece in [data] if isinstance(data, pa.Table) else data:
            writer.write(piece)
    return body.getvalue()
