"""Nearest patches of an image's hole among the patches that are known: PatchMatch.

Each patch that touches the hole gets a patch of its image that looks alike and is known
as a whole: the nearest-neighbour field.  PatchMatch (Barnes et al. 2009) finds it by
passing good matches on to neighbours and by trying random ones at falling distances.
Here all patches of the hole take each step together, in arrays, so that a step costs a
few gathers; matches travel by jumps in place of scan lines.  Patches are compared by
their principal components (He and Sun 2012), an eighth of their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from zim_model.arrays import BoolArray, FloatArray

Indexes = npt.NDArray[np.intp]
"""Flat indexes of pixels, row by row."""

RADIUS = 3
"""Of a patch, which has 2 * RADIUS + 1 pixels a side."""
SIDE = 2 * RADIUS + 1
COMPONENTS = 18
"""Principal components of a patch; more do not change the matches visibly."""
FARNESS = 4000.0
"""Added to the distances of patches that are an image's diagonal apart, where all pairs
are compared; of two patches that differ by 4 of 100 in lightness they are 800."""
SAMPLED_PATCHES = 4096
"""Known patches that the components are computed from."""
EXACT_PAIRS = 2_000_000
"""With no more pairs of patches than this, all are compared."""
_ROWS_AT_ONCE = 64
"""Rows of patches that are described together, which bounds the memory."""
_JUMPS = (1, 4, 1)
"""Distances from which matches are passed on, in the rounds in turn."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A nearest-neighbour field.

    Attributes:
        targets: (n,) the patches' centres that touch the hole, ascending.
        sources: (n,) the centre of the patch that each is matched with.
        distances: (n,) float32, squared distance of their descriptions.
    """

    targets: Indexes
    sources: Indexes
    distances: FloatArray


def interior(shape: tuple[int, int]) -> BoolArray:
    """Where patches are centred that lie inside an array of ``shape`` as a whole."""
    inside = np.zeros(shape, np.bool_)
    inside[RADIUS : shape[0] - RADIUS, RADIUS : shape[1] - RADIUS] = True
    return inside


def grow(mask: BoolArray) -> BoolArray:
    """The centres of all patches that touch a mask, (h, w)."""
    window = np.ones((SIDE, SIDE), np.uint8)
    return cv2.dilate(mask.view(np.uint8), window).astype(np.bool_)


def patches_at(channels: FloatArray, centres: Indexes) -> FloatArray:
    """(n, SIDE * SIDE * c), the pixels of patches that lie inside an image.

    Args:
        channels: (h, w, c) float32.
        centres: (n,)
    """
    height, width = channels.shape[:2]
    flat = channels.reshape(height * width, -1)
    steps = np.arange(-RADIUS, RADIUS + 1)
    offsets = (steps[:, None] * width + steps).ravel()
    patches = flat[centres[:, None] + offsets]
    return np.asarray(patches.reshape(len(centres), -1), np.float32)


def distance_costs(
    targets: Indexes, sources: Indexes, shape: tuple[int, ...]
) -> FloatArray:
    """(n, m), what is added to distances of patches that are far apart in the image.

    What is near an object is more often seen behind it than what is far away.
    """
    height, width = shape[:2]
    rows = targets[:, None] // width - sources // width
    columns = targets[:, None] % width - sources % width
    squares = (rows * rows + columns * columns).astype(np.float32)
    return squares * np.float32(FARNESS / (height * height + width * width))


class PatchMatcher:
    """Matches patches of one image; the known part of the image stays.

    Args:
        channels: (h, w, c) float32; what the hole contains does not matter here.
        targets: (n,) centres of the patches that touch the hole.
        known: (h, w), centres of the patches that may be matches, at least one.
        random: the source of random numbers.
    """

    def __init__(
        self,
        channels: FloatArray,
        targets: Indexes,
        known: BoolArray,
        random: np.random.Generator,
    ) -> None:
        self._shape = known.shape
        self._targets, self._random = targets, random
        self._farness: FloatArray | None = None
        self._known = known.ravel()
        self._all_known = np.flatnonzero(self._known)
        self._basis = self._principal_components(channels)
        self._described = np.empty((known.size, self._basis.shape[1]), np.float32)
        self._describe(channels)
        lookup = np.full(known.size, -1, np.intp)
        lookup[targets] = np.arange(len(targets))
        self._neighbours = {
            (dy, dx): lookup[self._shifted(targets, dy, dx)]
            for jump in set(_JUMPS)
            for dy, dx in ((-jump, 0), (jump, 0), (0, -jump), (0, jump))
        }

    def match(self, channels: FloatArray, start: Indexes | None, rounds: int) -> Field:
        """The field for what the hole contains now.

        Args:
            channels: (h, w, c) float32, with the hole filled.
            start: (n,) the matches to begin with; None for random ones.
            rounds: of passing on and of random trials.
        """
        sought = self._describe_at(channels, self._targets)
        if len(self._targets) * len(self._all_known) <= EXACT_PAIRS:
            return self._match_exactly(sought)
        if start is None:
            start = self._random.choice(self._all_known, len(self._targets))
        sources = start.copy()
        distances = self._distances(sought, sources)
        for number in range(rounds):
            self._pass_on(sought, sources, distances, _JUMPS[number % len(_JUMPS)])
            self._try_random(sought, sources, distances)
        return Field(self._targets, sources, distances)

    # -- Descriptions --------------------------------------------------------------

    def _principal_components(self, channels: FloatArray) -> FloatArray:
        count = min(SAMPLED_PATCHES, len(self._all_known))
        sample = self._random.choice(self._all_known, count, replace=False)
        patches = patches_at(channels, sample)
        patches -= patches.mean(0)
        _, vectors = np.linalg.eigh(patches.T @ patches)
        return np.ascontiguousarray(vectors[:, : -COMPONENTS - 1 : -1], np.float32)

    def _describe_at(self, channels: FloatArray, centres: Indexes) -> FloatArray:
        pieces = np.array_split(centres, 1 + len(centres) // 20_000)
        described = [patches_at(channels, piece) @ self._basis for piece in pieces]
        return np.concatenate(described)

    def _describe(self, channels: FloatArray) -> None:
        """Describe every patch inside the image."""
        height, width = self._shape
        described = self._described.reshape(height, width, -1)
        windows = np.lib.stride_tricks.sliding_window_view(
            channels, (SIDE, SIDE), axis=(0, 1)
        )  # (h - 2r, w - 2r, c, SIDE, SIDE)
        for top in range(0, len(windows), _ROWS_AT_ONCE):
            rows = windows[top : top + _ROWS_AT_ONCE].transpose(0, 1, 3, 4, 2)
            flat = rows.reshape(rows.shape[0] * rows.shape[1], -1) @ self._basis
            described[
                top + RADIUS : top + RADIUS + len(rows), RADIUS : width - RADIUS
            ] = flat.reshape(*rows.shape[:2], -1)

    def _distances(self, sought: FloatArray, sources: Indexes) -> FloatArray:
        difference = self._described.take(sources, axis=0)
        difference -= sought
        return np.asarray(np.einsum("ij,ij->i", difference, difference), np.float32)

    # -- The search ----------------------------------------------------------------

    def _match_exactly(self, sought: FloatArray) -> Field:
        known = self._described[self._all_known]
        squares = np.einsum("ij,ij->i", known, known)
        if self._farness is None:
            self._farness = distance_costs(self._targets, self._all_known, self._shape)
        nearest = np.argmin(squares - 2 * (sought @ known.T) + self._farness, 1)
        sources = self._all_known[nearest]
        return Field(self._targets, sources, self._distances(sought, sources))

    def _pass_on(
        self,
        sought: FloatArray,
        sources: Indexes,
        distances: FloatArray,
        jump: int,
    ) -> None:
        """Try the matches of neighbours, moved by as much as these are apart."""
        for dy, dx in ((-jump, 0), (jump, 0), (0, -jump), (0, jump)):
            neighbours = self._neighbours[dy, dx]
            asked = np.flatnonzero(neighbours >= 0)
            tried = self._shifted(sources[neighbours[asked]], -dy, -dx)
            self._accept(sought, sources, distances, asked, tried)

    def _try_random(
        self, sought: FloatArray, sources: Indexes, distances: FloatArray
    ) -> None:
        """Try places around each match, at distances that halve."""
        height, width = self._shape
        reach = float(max(height, width))
        asked = np.arange(len(sources))
        while reach >= 1:
            moves = self._random.uniform(-reach, reach, (2, len(sources)))
            dy, dx = moves.round().astype(np.intp)
            tried = self._shifted(sources, dy, dx)
            self._accept(sought, sources, distances, asked, tried)
            reach /= 2

    def _accept(
        self,
        sought: FloatArray,
        sources: Indexes,
        distances: FloatArray,
        asked: Indexes,
        tried: Indexes,
    ) -> None:
        """Replace the matches of those ``asked`` by those tried that are nearer."""
        usable = self._known[tried] & (tried != sources[asked])
        asked, tried = asked[usable], tried[usable]
        found = self._distances(sought[asked], tried)
        nearer = found < distances[asked]
        asked = asked[nearer]
        sources[asked], distances[asked] = tried[nearer], found[nearer]

    def _shifted(
        self, places: Indexes, dy: int | Indexes, dx: int | Indexes
    ) -> Indexes:
        """Places moved by rows and columns, at most to the image's edge."""
        height, width = self._shape
        rows = np.clip(places // width + dy, 0, height - 1)
        columns = np.clip(places % width + dx, 0, width - 1)
        return np.asarray(rows * width + columns, np.intp)
