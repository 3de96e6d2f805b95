"""Whether poses fit their photos, by what two photos of neighbouring cameras share.

Where a place of one photo lies in another one is known up to its depth: on the part of
a line that the depths of the pose span.  SIFT features that match must lie near it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from training.sa3d.scene import Array, Camera, PosedImage, some_names
from zim_model.arrays import FloatArray
from zim_model.errors import ZimError

NEIGHBOURS = 3
MIN_MATCHES = 12
"""Fewer say nothing about a pair of photos."""
MIN_SHARE = 0.4
"""Of the matches of a pair that lie where they must."""
MAX_DISTANCE = 0.02
"""Of a match from its line, relative to the photo's width."""
DEPTH_MARGIN = 1.5
MAX_RATIO = 0.8
"""Of the distances of the best and the second match (Lowe's test)."""
MIN_WIDTH = 400
"""Smaller photos are enlarged, as SIFT finds little in them."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """SIFT features of a view: positions (N, 2) in pixels, descriptors (N, 128)."""

    positions: Array
    descriptors: FloatArray


def check_poses(views: Sequence[PosedImage], poses: str) -> None:
    """Check that neighbouring photos show the same places where their poses say.

    Args:
        views: all views.
        poses: file of the poses, for the message.

    Raises:
        ZimError: some photos match none of those whose cameras are next to theirs,
            though there is enough to compare.
    """
    features = [find_features(view) for view in views]
    centres = np.array([view.camera.position for view in views])
    bad = []
    for index, view in enumerate(views):
        distances = np.linalg.norm(centres - view.camera.position, axis=1)
        shares = [
            share
            for other in np.argsort(distances)[1 : NEIGHBOURS + 1]
            if (share := _share(view, features[index], views[other], features[other]))
            is not None
        ]
        if shares and max(shares) < MIN_SHARE:
            bad.append(view.name)
    if bad:
        raise ZimError(
            f"The poses in {poses} do not fit {some_names(bad)}: what they share with"
            " the photos of neighbouring cameras lies elsewhere.",
            "Row i must be the pose of photo i in the order of the sorted names:"
            " estimate the poses again, or leave these photos and their rows out."
            " --trust-poses goes on without this check.",
        )


def find_features(view: PosedImage) -> Features:
    """Find the SIFT features of a view."""
    grey = cv2.cvtColor(view.image, cv2.COLOR_RGB2GRAY)
    scale = max(1.0, MIN_WIDTH / view.camera.width)
    if scale > 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    found, descriptors = cv2.SIFT.create().detectAndCompute(grey, None)
    positions = np.array([point.pt for point in found]).reshape(-1, 2) / scale
    rows = np.zeros((0, 128)) if descriptors is None else descriptors
    return Features(positions, np.asarray(rows, np.float32))


def _share(
    first: PosedImage, own: Features, second: PosedImage, others: Features
) -> float | None:
    """The share of matches of two views that fit; None with too few of them."""
    if min(len(own.positions), len(others.positions)) < MIN_MATCHES:
        return None
    pairs = cv2.BFMatcher().knnMatch(own.descriptors, others.descriptors, k=2)
    matches = [a for a, b in pairs if a.distance < MAX_RATIO * b.distance]
    if len(matches) < MIN_MATCHES:
        return None
    here = own.positions[[match.queryIdx for match in matches]]
    there = others.positions[[match.trainIdx for match in matches]]
    distances = line_distances(first.camera, here, second.camera, there)
    return float((distances < MAX_DISTANCE * second.camera.width).mean())


def line_distances(
    first: Camera, here: Array, second: Camera, there: Array
) -> FloatArray:
    """How far positions in one image are from where those of another may lie there.

    Args:
        first: camera of the other image.
        here: (N, 2) positions in it.
        second: camera of the image.
        there: (N, 2) positions in it.

    Returns:
        (N,) distances in pixels from the lines that the depths span; inf behind the
        second camera.
    """
    directions = first.directions(here[:, 0], here[:, 1])
    near, far = first.near / DEPTH_MARGIN, first.far * DEPTH_MARGIN
    start, end = (
        _image_positions(second, first.position + depth * directions)
        for depth in (near, far)
    )
    along = end - start
    squares = np.maximum((along**2).sum(-1), 1e-12)
    share = np.clip(((there - start) * along).sum(-1) / squares, 0, 1)[:, None]
    distances = np.linalg.norm(there - start - share * along, axis=-1)
    return np.asarray(np.nan_to_num(distances, nan=np.inf), np.float32)


def _image_positions(camera: Camera, points: Array) -> Array:
    """Positions (N, 2) of world points (N, 3); NaN behind the camera."""
    local = (points - camera.position) @ camera.rotation
    depth = np.where(local[:, 2:] > 0, local[:, 2:], np.nan)
    middle = np.array((camera.width / 2, camera.height / 2))
    return np.asarray(local[:, :2] / depth * camera.focal + middle)
