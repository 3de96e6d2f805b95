"""PNG files are read by other programs' decoders, and are small."""

from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from zim_app.core.png_encoder import encode_png
from zim_model.assets import asset_path


def encoded(pixels: npt.NDArray[np.unsignedinteger]) -> bytes:
    stream = io.BytesIO()
    encode_png(stream, pixels, b"a profile", (300.0, 150.0))
    return stream.getvalue()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (65, 3, 3), (301, 129, 4)])
def test_opencv_reads_the_same_pixels(
    shape: tuple[int, ...], dtype: type[np.unsignedinteger]
) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, np.iinfo(dtype).max + 1, shape, dtype)
    pixels[len(pixels) // 2 :] = pixels[0]  # rows that repeat
    data = encoded(pixels)
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 3:
        code = cv2.COLOR_BGR2RGB if shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        found = cv2.cvtColor(found, code)
    np.testing.assert_array_equal(found.reshape(shape), pixels)
    assert data == encoded(pixels.copy())


def test_views_of_other_arrays_are_encoded_as_copies_of_them() -> None:
    pixels = np.arange(60 * 40 * 4, dtype=np.uint16).reshape(60, 40, 4)[::-2, ::3]
    assert encoded(pixels) == encoded(pixels.copy())


def test_pillow_reads_profile_and_resolution() -> None:
    image = PIL.Image.open(io.BytesIO(encoded(np.zeros((4, 5, 4), np.uint8))))
    image.load()
    assert image.info["icc_profile"] == b"a profile"
    assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)


def test_a_photo_takes_no_more_bytes_than_pillow_needs_by_default() -> None:
    photo = PIL.Image.open(asset_path("samples", "astronaut.jpg")).convert("RGB")
    stream = io.BytesIO()
    photo.save(stream, "PNG")
    assert len(encoded(np.asarray(photo))) < 1.1 * len(stream.getvalue())
