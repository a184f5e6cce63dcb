"""Rows with audio on their way into a Parquet file: groups are small, since one is read whole to hear one take.

Audio bytes are stored as they are; all else is compressed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalogs.export.folder import Folder

_GROUP_ROWS = 100
_GROUP_BYTES = 32 << 20


class RowFile:
    """A file of a folder in the making, which is to be sealed when it is closed."""

    def __init__(
        self, folder: Folder, name: str, schema: pa.Schema, *, audio: str, repeated: Sequence[str] = ()
    ) -> None:
        """``audio`` is the path of the column of audio bytes; ``repeated`` are columns whose values come again."""
        self.file = folder.create(name)
        self._folder = folder
        self._schema = schema
        columns = [leaf for field in schema for leaf in _leaves(field.name, field.type)]
        self._writer = pq.ParquetWriter(
            self.file,
            schema,
            use_dictionary=list(repeated),
            compression={column: "NONE" if column == audio else "ZSTD" for column in columns},
            write_statistics=[column for column in columns if column != audio],
            write_page_index=True,
        )
        self._rows: list[Mapping[str, Any]] = []
        self._bytes = 0

    def add(self, row: Mapping[str, Any], *, num_bytes: int) -> None:
        """Write a row, which has so many bytes of audio."""
        self._rows.append(row)
        self._bytes += num_bytes
        if len(self._rows) >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._writer.close()
        self._folder.end(self.file)

    def _flush(self) -> None:
        if self._rows:
            table = pa.Table.from_pylist(self._rows, schema=self._schema)
            self._writer.write_table(table, row_group_size=len(self._rows))
        self._rows, self._bytes = [], 0


def _leaves(name: str, type_: pa.DataType) -> list[str]:
    """Paths of the columns that Parquet stores for one of ours."""
    if pa.types.is_struct(type_):
        return [leaf for field in type_ for leaf in _leaves(f"{name}.{field.name}", field.type)]
    if pa.types.is_list(type_):
        return _leaves(f"{name}.list.element", type_.value_type)
    return [name]
