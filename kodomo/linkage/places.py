"""Normalises a city's addresses, many of them in a process of its own while this one normalises names (identity side)."""

from __future__ import annotations

import json

import pyarrow as pa

from kodomo.intake.addresses import outside_own
from kodomo.intake.normalise_columns import addresses_of
from kodomo.tables.aside import Answer, Aside, serve

FEWEST = 40_000
"""With fewer addresses, starting another process takes as long as it saves."""

PIECE_ROWS = 20_000

PLACES = pa.schema([("value", pa.string()), ("town", pa.string()), ("number", pa.string())])

ASKED = pa.schema([PLACES.field("value")])


def normal_places(values: pa.ChunkedArray, prefecture: str, city: str) -> pa.Table:
    """Addresses, each given once, and by which town and number they are compared (schema ``PLACES``)."""
    pieces = pa.table([values], ASKED).combine_chunks().to_batches(PIECE_ROWS)
    here = placing(prefecture, city)
    if len(values) < FEWEST:
        return pa.Table.from_batches(map(here, pieces), PLACES)
    words = json.dumps([prefecture, city]).encode()
    return pa.Table.from_batches(Aside(__name__, ASKED, PLACES, words).answered(pieces, here), PLACES)


def aside() -> None:
    """What the other process does."""
    serve(PLACES, lambda words: placing(*json.loads(words)))


def placing(prefecture: str, city: str) -> Answer:
    """What answers a piece of addresses (schema ``ASKED``) with ``PLACES``."""
    return lambda piece: _placed(piece.column(0), prefecture, city)


def _placed(values: pa.Array, prefecture: str, city: str) -> pa.RecordBatch:
    texts = values.to_pylist()
    forms = addresses_of(texts, prefecture, city)
    outside = {(f.prefecture, f.city): f for f in forms.values()}
    # a place of another municipality is not the street of that name here
    before = {where: outside_own(form, prefecture, city) for where, form in outside.items()}
    towns = [(before[f.prefecture, f.city] + f.town) or None for f in map(forms.__getitem__, texts)]
    numbers = [forms[text].number or None for text in texts]
    return pa.record_batch([values, pa.array(towns, pa.string()), pa.array(numbers, pa.string())], schema=PLACES)
