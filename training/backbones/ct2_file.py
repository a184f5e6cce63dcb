"""Read the tensors of a CTranslate2 ``model.bin``: a list of named arrays after a short header.

    u32 version · name, u32 revision of the kind of model · u32 count of variables, each
        name · u8 rank · u32 dimensions · u8 type · u32 bytes · data
    u32 count of aliases, each
        alias · name of the variable it stands for

All numbers are little-endian; a name is u16 bytes with a zero at the end.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from catalogs.errors import EngineError, ModelMissing

_VERSIONS: Final = (4, 5, 6)
_BFLOAT16: Final = 5
_TYPES: Final = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2", _BFLOAT16: "<u2"}


@dataclass(frozen=True, slots=True)
class Ct2File:
    """What a file holds: arrays as they are stored, by name, and the kind of model."""

    kind: str
    arrays: dict[str, NDArray[np.generic]]

    def tensor(self, name: str) -> NDArray[np.float32]:
        """An array as float32, scales undone.

        Quantised weights hold round(weight x scale), with one scale for the whole array or one per row.

        Raises:
            EngineError: if there is none of that name.
        """
        if name not in self.arrays:
            raise EngineError(f"the CTranslate2 model has no {name}")
        stored = np.asarray(self.arrays[name], np.float32)
        if f"{name}_scale" not in self.arrays:
            return stored
        scale = np.asarray(self.arrays[f"{name}_scale"], np.float32)
        return np.asarray(stored / scale.reshape(scale.shape + (1,) * (stored.ndim - scale.ndim)), np.float32)

    def number(self, name: str) -> int:
        """A setting that is a number.

        Raises:
            EngineError: if there is none of that name.
        """
        return int(self.tensor(name).item())


def read_ct2(path: Path) -> Ct2File:
    """Read a ``model.bin``.

    Raises:
        ModelMissing: if it is not there.
        EngineError: if it is damaged, or of a version that is not known.
    """
    try:
        cursor = _Cursor(path.read_bytes())
    except OSError as error:
        raise ModelMissing(f"{path} cannot be read: {error.strerror}") from error
    try:
        return _read(cursor)
    except (struct.error, UnicodeDecodeError, KeyError, ValueError) as error:
        raise EngineError(f"{path} is damaged, or no CTranslate2 model: {error}") from error


def _read(cursor: "_Cursor") -> Ct2File:
    version = cursor.number("I")
    if version not in _VERSIONS:
        raise ValueError(f"version {version}, expected one of {_VERSIONS}")
    kind = cursor.name()
    cursor.number("I")  # revision of the kind: what it changed, the names of the variables show
    arrays = dict(_variable(cursor) for _ in range(cursor.number("I")))
    for _ in range(cursor.number("I")):
        alias = cursor.name()
        arrays[alias] = arrays[cursor.name()]
    if cursor.left:
        raise ValueError(f"{cursor.left} bytes too many")
    return Ct2File(kind, arrays)


def _variable(cursor: "_Cursor") -> tuple[str, NDArray[np.generic]]:
    name = cursor.name()
    shape = [cursor.number("I") for _ in range(cursor.number("B"))]
    code = cursor.number("B")
    if code not in _TYPES:
        raise ValueError(f"{name} is of type {code}")
    array = np.frombuffer(cursor.take(cursor.number("I")), _TYPES[code]).reshape(shape)
    if code == _BFLOAT16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return name, array


class _Cursor:
    """A place in some bytes; reading past their end is an error."""

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._content) - self._at

    def take(self, num_bytes: int) -> memoryview:
        if num_bytes > self.left:
            raise ValueError("it ends too early")
        self._at += num_bytes
        return self._content[self._at - num_bytes : self._at]

    def number(self, kind: str) -> int:
        (value,) = struct.unpack(f"<{kind}", self.take(struct.calcsize(f"<{kind}")))
        return int(value)

    def name(self) -> str:
        return bytes(self.take(self.number("H"))).removesuffix(b"\0").decode()
