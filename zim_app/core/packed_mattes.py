"""Mattes that nobody looks at, compressed in memory without loss.

Most of a matte is 0, opaque, or colours of the image: LZ4 finds the first two, and
decontaminated colours are stored as their difference from the image's, which is 0
beyond the soft edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast, overload

import numpy as np
import numpy.typing as npt

from zim_app.core.pixels import strips
from zim_model.arrays import Bounds, ByteArray, WordArray
from zim_model.request import Matte, Timings

Pixels = npt.NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class PackedArray:
    """An array (H, W) or (H, W, C), in compressed strips of rows.

    Strips keep what packing and unpacking need besides small.

    Attributes:
        shape, dtype: of the array.
        packed: a strip each; empty where the array is its base.
        base: an array of the same shape and type that is in memory anyway, from which
            the difference is stored; None is 0.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    packed: tuple[bytes, ...]
    base: Pixels | None

    @classmethod
    def pack(cls, array: Pixels, base: Pixels | None = None) -> PackedArray:
        """Compress an array; the base must stay as it is."""
        import imagecodecs

        packed = []
        for rows in strips(*array.shape[:2]):
            part = (
                array[rows] if base is None else np.bitwise_xor(array[rows], base[rows])
            )
            content = cast(bytes, np.ascontiguousarray(part).data)
            packed.append(bytes(imagecodecs.lz4_encode(content)) if part.any() else b"")
        return cls(array.shape, array.dtype, tuple(packed), base)

    def unpack(self) -> Pixels:
        """A new array, read-only, equal to the one that was packed."""
        array = np.zeros(self.shape, self.dtype)  # rows of zeros take no memory
        for rows, packed in zip(strips(*self.shape[:2]), self.packed, strict=True):
            self._unpack_strip(rows, packed, array[rows])
        array.flags.writeable = False
        return array

    def strip_at(self, row: int) -> tuple[int, Pixels]:
        """The strip that holds a row, in a new array, and its first row."""
        pairs = zip(strips(*self.shape[:2]), self.packed, strict=True)
        rows, packed = next(pair for pair in pairs if row < pair[0].stop)
        strip = np.zeros((rows.stop - rows.start, *self.shape[1:]), self.dtype)
        self._unpack_strip(rows, packed, strip)
        return rows.start, strip

    def _unpack_strip(self, rows: slice, packed: bytes, out: Pixels) -> None:
        """Unpack those rows into zeros."""
        import imagecodecs

        if packed:
            content = out.reshape(-1).view(np.uint8).data
            imagecodecs.lz4_decode(packed, out=content)
        if self.base is not None:
            np.bitwise_xor(out, self.base[rows], out=out)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, without the base's."""
        return sum(map(len, self.packed))


class PackedLevels(Sequence[ByteArray]):
    """Packed arrays of 8 bits, each of which is unpacked when it is read.

    Args:
        arrays: the arrays, of any shapes.
        bases: arrays that are in memory anyway; the one of an array's shape is its
            base.
    """

    def __init__(
        self, arrays: Sequence[ByteArray], bases: Sequence[ByteArray] = ()
    ) -> None:
        by_shape = {base.shape: base for base in bases}
        self._arrays = tuple(
            PackedArray.pack(array, by_shape.get(array.shape)) for array in arrays
        )

    def __len__(self) -> int:
        return len(self._arrays)

    @overload
    def __getitem__(self, index: int) -> ByteArray: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[ByteArray, ...]: ...

    def __getitem__(self, index: int | slice) -> ByteArray | tuple[ByteArray, ...]:
        if isinstance(index, slice):
            return tuple(cast(ByteArray, x.unpack()) for x in self._arrays[index])
        return cast(ByteArray, self._arrays[index].unpack())

    @property
    def nbytes(self) -> int:
        """Bytes of memory, without the bases'."""
        return sum(array.nbytes for array in self._arrays)


@dataclass(frozen=True, slots=True, eq=False)
class PackedMatte:
    """A :class:`Matte` with its arrays compressed; immutable.

    Reads like the matte: an array is unpacked whenever it is read, and not kept.

    Attributes:
        pyramid, candidates, foreground, scores, candidate, support, timings,
        candidates_view: see :class:`Matte`.
    """

    packed_alpha: PackedArray
    pyramid: PackedLevels
    candidates: PackedLevels
    foreground: PackedLevels
    scores: npt.NDArray[np.float32]
    candidate: int
    support: Bounds
    timings: Timings
    candidates_view: Bounds

    @classmethod
    def pack(cls, matte: Matte, levels: Sequence[ByteArray]) -> PackedMatte:
        """Compress a matte; slow, for a worker thread.

        Args:
            levels: display pyramid of the image, which stays in memory.
        """
        return cls(
            packed_alpha=PackedArray.pack(matte.alpha),
            pyramid=PackedLevels(matte.pyramid),
            candidates=PackedLevels(matte.candidates),
            foreground=PackedLevels(matte.foreground, levels),
            scores=matte.scores,
            candidate=matte.candidate,
            support=matte.support,
            timings=matte.timings,
            candidates_view=matte.candidates_view,
        )

    def unpack(self) -> Matte:
        """The matte that was packed, in new arrays."""
        return Matte(
            alpha=self.alpha,
            pyramid=tuple(self.pyramid),
            candidates=tuple(self.candidates),
            foreground=tuple(self.foreground),
            scores=self.scores,
            candidate=self.candidate,
            support=self.support,
            timings=self.timings,
            candidates_view=self.candidates_view,
        )

    @property
    def alpha(self) -> WordArray:
        """(H, W) uint16, a new array."""
        return cast(WordArray, self.packed_alpha.unpack())

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the compressed arrays."""
        packed = (self.packed_alpha, self.pyramid, self.candidates, self.foreground)
        return sum(each.nbytes for each in packed)


AnyMatte = Matte | PackedMatte
"""Both read alike."""


def alpha_at(matte: AnyMatte, row: int, column: int) -> int | None:
    """Alpha of a pixel, 0 to 65535; None outside the image."""
    alpha = matte.packed_alpha if isinstance(matte, PackedMatte) else matte.alpha
    height, width = alpha.shape
    if not (0 <= row < height and 0 <= column < width):
        return None
    if isinstance(alpha, PackedArray):  # all of a large one would take too long
        top, alpha = alpha.strip_at(row)
        row -= top
    return int(alpha[row, column])


def are_one_matte(one: AnyMatte | None, other: AnyMatte | None) -> bool:
    """Whether two are the same matte, each in either form."""
    if one is None or other is None:
        return one is other
    return one.timings is other.timings  # each matte has its own


@overload
def unpacked(matte: AnyMatte) -> Matte: ...


@overload
def unpacked(matte: AnyMatte | None) -> Matte | None: ...


def unpacked(matte: AnyMatte | None) -> Matte | None:
    """The matte itself, where it may be packed."""
    return matte.unpack() if isinstance(matte, PackedMatte) else matte
