"""Raw photos: never their preview instead."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from tests.zim_app.core.decoders.tiff_files import Variant, directory
from zim_app.core.batch.resume import read_size
from zim_app.core.images import load_image
from zim_app.core.thumbnails import read_thumbnail
from zim_model.errors import ImageError

SENSOR = np.random.default_rng(0).integers(0, 4096, (40, 60), dtype=np.uint16)
PREVIEW = np.zeros((20, 30, 3), np.uint8)
DNG_VERSION = (50706, 1, 4, (1, 4, 0, 0), True)


def write_preview_first(path: Path, *, dng: bool = False, subfile: int = 1) -> None:
    """A preview with the sensor's data in a directory below, as NEF, ARW and DNG."""
    with tifffile.TiffWriter(path) as file:
        tags = [DNG_VERSION] if dng else []
        file.write(
            PREVIEW, photometric="rgb", subifds=1, subfiletype=subfile, extratags=tags
        )
        file.write(SENSOR, photometric=32803)


def write_in_turn(path: Path) -> None:
    """A preview, and a page of the sensor's data."""
    with tifffile.TiffWriter(path) as file:
        file.write(PREVIEW, photometric="rgb")
        file.write(SENSOR, photometric=32803)


def write_cr2(path: Path) -> None:
    """Canon's mark before the first directory, which is of a preview."""
    preview = directory([(256, 3, [4]), (257, 3, [4]), (258, 3, [8])], 16, Variant())
    path.write_bytes(b"II*\0\x10\0\0\0CR\2\0\0\0\0\0" + preview)


WRITERS: dict[str, Any] = {
    "preview": write_preview_first,
    "dng": lambda path: write_preview_first(path, dng=True),
    "full preview": lambda path: write_preview_first(path, subfile=0),
    "linear dng": lambda path: tifffile.imwrite(
        path, PREVIEW, photometric="rgb", extratags=[DNG_VERSION]
    ),
    "pages": write_in_turn,
    "cr2": write_cr2,
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("suffix", [".tif", ".NEF"])
def test_a_raw_photo_is_named_and_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, suffix: str
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    path = tmp_path / f"a{suffix}"
    WRITERS[kind](path)
    for read in (load_image, read_size, lambda path: read_thumbnail(path, 20)):
        with pytest.raises(ImageError, match=r"raw photo.*extra \[raw\]"):
            read(path)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.arw", b""),
        ("a.raf", b"FUJIFILMCCD-RAW "),
        ("a.cr3", b"\0\0\0\x18ftypcrx "),
        ("a.orf", b"IIRO\x08\0\0\0"),
        ("a.rw2", b"IIU\0\x08\0\0\0"),
        ("a.tif", b"IIU\0\x08\0\0\0"),
    ],
)
def test_other_raw_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, head: bytes
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    path = tmp_path / name
    tifffile.imwrite(path.with_suffix(".x"), PREVIEW, photometric="rgb")
    path.write_bytes(head or path.with_suffix(".x").read_bytes())
    with pytest.raises(ImageError, match="raw photo"):
        load_image(path)


def test_the_extra_develops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a stand-in for ``rawpy``, which the tests do not install."""
    developed = np.full((30, 40, 3), 30000, np.uint16)

    class Photo:
        sizes = types.SimpleNamespace(iwidth=40, iheight=30)

        def __enter__(self) -> Photo:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def postprocess(self, **options: Any) -> np.ndarray:
            assert options == {"use_camera_wb": True, "output_bps": 16}
            return developed

    module = types.ModuleType("rawpy")
    module.imread = lambda path: Photo()  # type: ignore[attr-defined]
    module.LibRawError = RuntimeError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rawpy", module)
    write_preview_first(tmp_path / "a.dng", dng=True)
    image = load_image(tmp_path / "a.dng")
    np.testing.assert_array_equal(image.source, developed)


def test_pyramids_and_previews_below_a_photo_are_no_raw(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        full = np.full((40, 60, 3), 7, np.uint8)
        file.write(full, photometric="rgb", subifds=1)
        file.write(PREVIEW, photometric="rgb", subfiletype=1)
    assert load_image(path).rgb.shape == (40, 60, 3)
    assert read_size(path) == (40, 60)
