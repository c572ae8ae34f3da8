"""Table declarations (shared ground): one declaration is validation, documentation and sensitivity at once."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from kodomo.errors import IntegrityFault
from kodomo.terms import Sensitivity


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        name: identifier (see the naming rules in DEVELOPERS.md).
        kind: Arrow type.
        caption: Japanese name for screens and generated documents.
        sensitivity: IDENTIFYING columns may not leave the identity side.
        nullable: whether a value may be missing.
        note: known weakness of the data, for the reader of the reference.
    """

    name: str
    kind: pa.DataType
    caption: str
    sensitivity: Sensitivity = Sensitivity.PERSONAL
    nullable: bool = False
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A declared table: its name, its columns in order, and what one row is."""

    name: str
    caption: str
    row_is: str
    columns: tuple[Column, ...]

    def schema(self) -> pa.Schema:
        """The Arrow schema, column order included."""
        return pa.schema([pa.field(c.name, c.kind, nullable=c.nullable) for c in self.columns])

    def column(self, name: str) -> Column:
        """The declaration of a column. Raises KeyError."""
        return {c.name: c for c in self.columns}[name]

    def empty(self) -> pa.Table:
        """A table of no rows."""
        return self.schema().empty_table()

    def conform(self, data: pa.Table) -> pa.Table:
        """Return the data with exactly the declared columns, order and types.

        Raises:
            IntegrityFault: a column is missing or extra, a value doesn't fit its type, or a
                column that must be filled holds a null. Names columns and counts, never values.
        """
        declared = {c.name for c in self.columns}
        given = set(data.column_names)
        if declared != given:
            raise IntegrityFault(
                f"表「{self.name}」の列が宣言と違います。",
                where=f"不足: {sorted(declared - given)} 余分: {sorted(given - declared)}",
            )
        arrays = []
        for column in self.columns:
            try:
                values = data.column(column.name).cast(column.kind)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                # The Arrow message would carry the cell's value into logs.
                raise IntegrityFault(f"表「{self.name}」の列「{column.name}」に型の合わない値があります。") from None
            if not column.nullable and values.null_count:
                raise IntegrityFault(
                    f"表「{self.name}」の列「{column.name}」に空の値が {values.null_count} 件あります。"
                )
            arrays.append(values)
        return pa.Table.from_arrays(arrays, schema=self.schema())


def identifying_columns(table: Table) -> list[str]:
    """Names of the columns that may not leave the identity side."""
    return [c.name for c in table.columns if c.sensitivity is Sensitivity.IDENTIFYING]
