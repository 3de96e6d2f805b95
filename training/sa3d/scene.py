"""Posed photos: folders in the layout of LLFF.

``images/`` holds the photos, ``poses_bounds.npy`` a row of 17 numbers for each of them
in the order of the sorted file names: a 3 x 5 matrix, and the least and greatest depth.
Its columns are the camera's axes down, right and backwards and its position,
in world coordinates; height, width and focal length in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from zim_app.core.images import load_image
from zim_model.arrays import ByteArray, size_within
from zim_model.errors import MALFORMED, ZimError
from zim_model.runtime.atomic_files import read_error

POSES_FILE, IMAGES_FOLDER = "poses_bounds.npy", "images"
SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp"))
MIN_VIEWS = 3
ASPECT_TOLERANCE = 0.02
"""Largest relative difference of the aspect of a photo and of its pose."""
ROTATION_TOLERANCE = 1e-2
SHOWN_NAMES = 5
"""Of photos, in a message."""
_CURE = "Write it again, for example with LLFF's imgs2poses.py from a COLMAP model."

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole camera with its principal point in the middle.

    Attributes:
        rotation: (3, 3), columns right, down and forward in world coordinates.
        position: (3,) in world coordinates.
        focal: in pixels.
        height, width: of the image in pixels.
        near, far: least and greatest depth, along the forward axis.
    """

    rotation: Array
    position: Array
    focal: float
    height: int
    width: int
    near: float
    far: float

    def directions(self, x: Array, y: Array) -> Array:
        """World directions (N, 3) of unit depth through image coordinates (N,)."""
        right = (x - self.width / 2) / self.focal
        down = (y - self.height / 2) / self.focal
        return np.stack((right, down, np.ones_like(right)), -1) @ self.rotation.T

    def pixel_directions(self) -> Array:
        """World directions (H * W, 3) of unit depth through the pixels' centres."""
        y, x = np.mgrid[: self.height, : self.width] + 0.5
        return self.directions(x.ravel(), y.ravel())

    def resized(self, height: int, width: int) -> Camera:
        """The camera of the same photo at another size of the same aspect."""
        focal = self.focal * width / self.width
        return replace(self, focal=focal, height=height, width=width)

    def to_llff(self) -> Array:
        """The row (17,) of ``poses_bounds.npy``."""
        right, down, forward = self.rotation.T
        size = np.array((self.height, self.width, self.focal))
        pose = np.stack((down, right, -forward, self.position, size), 1)
        return np.array((*pose.ravel(), self.near, self.far))

    @classmethod
    def from_llff(cls, row: Array) -> Camera:
        """Read a row (17,) of ``poses_bounds.npy``."""
        down, right, backward, position, size = row[:15].reshape(3, 5).T
        height, width = (max(1, round(float(side))) for side in size[:2])
        rotation = np.stack((right, down, -backward), 1)
        near, far = map(float, row[15:])
        return cls(rotation, position, float(size[2]), height, width, near, far)


@dataclass(frozen=True, slots=True, eq=False)
class PosedImage:
    """A photo with its camera, at the size that is worked at.

    Attributes:
        name: file name.
        image: (H, W, 3) uint8 sRGB.
        camera: of that size.
        full_size: (height, width) of the photo in its file.
    """

    name: str
    image: ByteArray
    camera: Camera
    full_size: tuple[int, int]

    @property
    def scale(self) -> float:
        """Width that is worked at, relative to that of the file."""
        return self.camera.width / self.full_size[1]


def some_names(names: Sequence[str]) -> str:
    """The first of many names, for a message, and how many more there are."""
    more = f" and {len(names) - SHOWN_NAMES} more" if names[SHOWN_NAMES:] else ""
    return ", ".join(names[:SHOWN_NAMES]) + more


def read_scene(folder: Path, longest: int = 0) -> list[PosedImage]:
    """Read the photos of an LLFF folder with their cameras, by name.

    Args:
        folder: with IMAGES_FOLDER and POSES_FILE.
        longest: the photos' longer side is reduced to that; 0 keeps their size.

    Raises:
        ZimError: files are missing or unreadable, or the poses are malformed or
            those of other photos.
    """
    paths = _image_paths(folder / IMAGES_FOLDER)
    poses_path = folder / POSES_FILE
    rows = _read_poses(poses_path)
    if len(rows) != len(paths):
        raise ZimError(
            f"{poses_path} has {len(rows)} poses, but {folder / IMAGES_FOLDER} has"
            f" {len(paths)} photos.",
            "There must be one pose for each photo, in the order of the sorted file"
            " names: remove photos without a pose, or estimate the poses again.",
        )
    views = []
    for index, (path, row) in enumerate(zip(paths, rows, strict=True)):
        where = f"{poses_path}, row {index} (for {path.name})"
        if not np.isfinite(row).all():
            raise ZimError(f"{where}: a number is not finite.", _CURE)
        camera = Camera.from_llff(row)
        _check_camera(camera, where)
        views.append(_read_view(path, camera, poses_path, longest))
    if len({view.image.shape for view in views}) > 1:
        raise ZimError(
            f"The photos in {folder / IMAGES_FOLDER} have different sizes.",
            "All photos of a scene must have one size: undistort them with COLMAP, or"
            " take away those that were cropped or turned.",
        )
    return views


def write_poses(folder: Path, cameras: Sequence[Camera]) -> None:
    """Write the cameras as POSES_FILE of a folder."""
    np.save(folder / POSES_FILE, np.stack([camera.to_llff() for camera in cameras]))


def _image_paths(folder: Path) -> list[Path]:
    try:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise read_error(folder, error) from error
    if len(paths) < MIN_VIEWS:
        raise ZimError(
            f"{folder} has {len(paths)} photos.",
            f"A scene needs {MIN_VIEWS} at least, better 15 or more.",
        )
    by_stem: dict[str, Path] = {}
    for path in paths:
        first = by_stem.setdefault(path.stem, path)
        if first != path:
            raise ZimError(
                f"{folder} has two photos of one name: {first.name} and {path.name}.",
                "Rename one: the mask of a photo has its name, with another suffix.",
            )
    return paths


def _read_poses(path: Path) -> Array:
    try:
        rows = np.asarray(np.load(path, allow_pickle=False), np.float64)
    except OSError as error:
        raise read_error(path, error) from error
    except (*MALFORMED, EOFError) as error:
        raise ZimError(f"{path} is no array of numbers.", _CURE) from error
    if rows.ndim != 2 or rows.shape[1] != 17:
        raise ZimError(f"{path} has the shape {rows.shape}, not (N, 17).", _CURE)
    return rows


def _check_camera(camera: Camera, where: str) -> None:
    error = np.abs(camera.rotation.T @ camera.rotation - np.eye(3)).max()
    if error > ROTATION_TOLERANCE or np.linalg.det(camera.rotation) < 0:
        raise ZimError(
            f"{where}: the first three columns are not a rotation.",
            "They must be the camera's axes down, right and backwards. " + _CURE,
        )
    if camera.focal <= 0 or not 0 < camera.near < camera.far:
        raise ZimError(
            f"{where}: focal length {camera.focal:g}, depths {camera.near:g} to"
            f" {camera.far:g}.",
            "The focal length must be above 0, the depths above 0 and rising. " + _CURE,
        )


def _read_view(
    path: Path, camera: Camera, poses_path: Path, longest: int
) -> PosedImage:
    image = load_image(path).rgb
    height, width = image.shape[:2]
    ratio = (width / height) / (camera.width / camera.height)
    if abs(ratio - 1) > ASPECT_TOLERANCE:
        raise ZimError(
            f"{path} has {width} x {height} pixels, but its pose in {poses_path} is"
            f" that of a photo of {camera.width} x {camera.height}.",
            "Photo and pose must belong together: the photos must not be cropped or"
            " turned after the poses were estimated; turn them back, or estimate the"
            " poses again.",
        )
    camera = camera.resized(height, width)
    if 0 < longest < max(height, width):
        size = size_within(image.shape, longest)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
        camera = camera.resized(size[1], size[0])
    return PosedImage(path.name, image, camera, (height, width))
