"""Where the grid lies: a projective map from the world to the cube [-1, 1]^3.

Views that look in about one direction, as LLFF's, get a frustum: near things have small
cells and far ones large cells.  Views from around a place get a cube there.  Both maps
are 4 x 4 matrices on homogeneous coordinates, so rays stay straight in the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.sa3d.scene import Array, Camera

MAX_ANGLE = np.deg2rad(30)
"""Largest angle between a view and the mean view for which a frustum is used."""
NEAR_MARGIN, FAR_MARGIN = 0.8, 1.2
"""Depths are measured on the points that COLMAP found: there is something beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class GridFrame:
    """The map (4, 4) from homogeneous world to grid coordinates (x, y, z)."""

    matrix: Array

    def to_grid(self, points: Array) -> Array:
        """Grid coordinates (N, 3) of world points (N, 3)."""
        return _project(self.matrix, points)

    def to_world(self, points: Array) -> Array:
        """World points (N, 3) of grid coordinates (N, 3)."""
        return _project(np.asarray(np.linalg.inv(self.matrix), np.float64), points)

    def ray_segments(self, camera: Camera, directions: Array) -> tuple[Array, Array]:
        """The parts of rays inside the grid: their two ends (N, 3), in the grid.

        A ray that misses the grid has two equal ends.

        Args:
            camera: with the position and the depths.
            directions: (N, 3) world directions of unit depth.
        """
        start, end = (
            self.to_grid(camera.position + depth * directions)
            for depth in (camera.near * NEAR_MARGIN, camera.far * FAR_MARGIN)
        )
        along = end - start
        along[np.abs(along) < 1e-12] = 1e-12
        planes = np.sort(np.stack(((-1 - start) / along, (1 - start) / along)), 0)
        first = np.clip(planes[0].max(-1, keepdims=True), 0, 1)
        last = np.clip(planes[1].min(-1, keepdims=True), first, 1)
        return start + first * along, start + last * along


def _project(matrix: Array, points: Array) -> Array:
    homogeneous = points @ matrix[:, :3].T + matrix[:, 3]
    return np.asarray(homogeneous[:, :3] / homogeneous[:, 3:])


def fit_frame(cameras: Sequence[Camera]) -> GridFrame:
    """The frame for what these cameras see between their depths."""
    forward = np.mean([camera.rotation[:, 2] for camera in cameras], 0)
    length = float(np.linalg.norm(forward))
    if length > 1e-6:
        cosines = [camera.rotation[:, 2] @ forward / length for camera in cameras]
        if min(cosines) >= np.cos(MAX_ANGLE):
            frustum = _frustum(cameras, forward / length)
            if frustum is not None:
                return frustum
    return _cube(cameras)


def _frustum(cameras: Sequence[Camera], forward: Array) -> GridFrame | None:
    """The frustum around all that is seen; None if a part of it is behind its apex."""
    down = np.mean([camera.rotation[:, 1] for camera in cameras], 0)
    down -= down @ forward * forward
    if np.linalg.norm(down) < 1e-6:
        return None
    down /= np.linalg.norm(down)
    axes = np.stack((np.cross(down, forward), down, forward))
    centre = np.mean([camera.position for camera in cameras], 0)
    corners = np.concatenate([_corners(camera) for camera in cameras])
    x, y, z = axes @ (corners - centre).T
    if z.min() < 0.1 * min(camera.near for camera in cameras):
        return None
    spans = [(values.min(), values.max()) for values in (x / z, y / z, -1 / z)]
    scale, shift = zip(*(_to_unit(*span) for span in spans), strict=True)
    # Homogeneous: x / z and y / z need z as the last coordinate, -1 / z a constant.
    view = np.eye(4)
    view[:3, :3], view[:3, 3] = axes, -axes @ centre
    project = np.zeros((4, 4))
    project[0, 0], project[0, 2] = scale[0], shift[0]
    project[1, 1], project[1, 2] = scale[1], shift[1]
    project[2, 2], project[2, 3] = shift[2], -scale[2]
    project[3, 2] = 1
    return GridFrame(project @ view)


def _corners(camera: Camera) -> Array:
    x = np.array((0, camera.width, 0, camera.width), np.float64)
    y = np.array((0, 0, camera.height, camera.height), np.float64)
    directions = camera.directions(x, y)
    depths = (camera.near * NEAR_MARGIN, camera.far * FAR_MARGIN)
    return np.concatenate([camera.position + d * directions for d in depths])


def _cube(cameras: Sequence[Camera]) -> GridFrame:
    """A cube around the place that is nearest to all the cameras' axes."""
    across = [np.eye(3) - np.outer(c.rotation[:, 2], c.rotation[:, 2]) for c in cameras]
    places = [a @ c.position for a, c in zip(across, cameras, strict=True)]
    centre = np.linalg.lstsq(np.sum(across, 0), np.sum(places, 0), rcond=None)[0]
    half = max(
        max(abs(camera.far - depth), abs(depth - camera.near))
        for camera in cameras
        for depth in [camera.rotation[:, 2] @ (centre - camera.position)]
    )
    matrix = np.eye(4)
    matrix[:3] /= half
    matrix[:3, 3] = -centre / half
    return GridFrame(matrix)


def _to_unit(low: float, high: float) -> tuple[float, float]:
    """Scale and shift that take [low, high] to [-1, 1]."""
    scale = 2 / (high - low)
    return scale, -1 - scale * low
