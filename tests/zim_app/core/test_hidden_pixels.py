"""What an export holds where it is transparent, and what trimming takes for empty."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from zim_app.core import pixels
from zim_app.core.compose import BLEED, CutOut, recolour_hidden_pixels
from zim_app.core.export import ExportOptions, ExportTarget, encode, export
from zim_app.core.images import Image
from zim_app.core.openraster import read_back
from zim_app.core.psd import read_psd

SIDE = 64
DEPTHS = pytest.mark.parametrize("dtype", [np.uint8, np.uint16])


@pytest.fixture
def scene() -> Image:
    """Noise, of which every pixel can be told from every other."""
    rng = np.random.default_rng(0)
    return Image.from_array(rng.integers(1, 256, (SIDE, SIDE, 3), dtype=np.uint8))


@pytest.fixture
def alpha() -> np.ndarray:
    """A square with a soft rim of two pixels around it."""
    result = np.zeros((SIDE, SIDE), np.uint16)
    result[24:40, 24:40] = 20000
    result[26:38, 26:38] = 65535
    return result


def read_all(path: Path) -> list[np.ndarray]:
    """Every RGBA array of a file, each layer's too."""
    with path.open("rb") as stream:
        if path.suffix == ".psd":
            return [layer.pixels for layer in read_psd(stream)[1]]
        if path.suffix == ".ora":
            return list(read_back(stream))
        return [np.array(PIL.Image.open(stream).convert("RGBA"))]


def count_recoverable(rgba: np.ndarray, scene: Image) -> int:
    """Transparent pixels that still show the scene; only for whole images."""
    same = (rgba[..., :3] == scene.rgb).all(-1)
    return int((same & (rgba[..., 3] == 0)).sum())


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".psd", ".ora"])
def test_no_file_holds_the_old_scene(tmp_path: Path, scene, alpha, suffix) -> None:
    path = tmp_path / f"a{suffix}"
    export(scene, [ExportTarget(alpha)], path)
    for rgba in read_all(path):
        hidden = rgba[..., 3] == 0
        if rgba.shape[:2] == (SIDE, SIDE):
            assert count_recoverable(rgba, scene) == 0
        seen = {tuple(colour) for colour in rgba[~hidden][:, :3]}
        assert {tuple(colour) for colour in rgba[hidden][:, :3]} <= seen | {(0, 0, 0)}


def test_the_copy_in_the_clipboard_does_not_either(scene, alpha) -> None:
    with PIL.Image.open(io.BytesIO(encode(scene, [ExportTarget(alpha)]))) as image:
        assert count_recoverable(np.array(image), scene) == 0


def test_the_scene_is_kept_on_request(tmp_path: Path, scene, alpha) -> None:
    sizes = {}
    for mode in ("keep", "bleed", "clear"):
        path = tmp_path / f"{mode}.png"
        options = ExportOptions(hidden_pixels=mode)
        export(scene, [ExportTarget(alpha)], path, options)
        sizes[mode] = path.stat().st_size
    kept = read_all(tmp_path / "keep.png")[0]
    assert count_recoverable(kept, scene) == (kept[..., 3] == 0).sum()
    assert sizes["clear"] < sizes["bleed"] < sizes["keep"] / 2
    clear = read_all(tmp_path / "clear.png")[0]
    assert not clear[clear[..., 3] == 0].any()


@DEPTHS
def test_the_edge_is_bled_outward_and_visible_pixels_are_left_alone(
    scene, alpha, dtype
) -> None:
    cut_out = CutOut(scene.rgb, alpha)
    result = recolour_hidden_pixels(cut_out, "bleed", dtype)
    visible = alpha > 0
    assert (result.colours[visible] == scene.rgb[visible]).all()
    assert (result.colours[30, 23 : 23 - BLEED : -1] == scene.rgb[30, 24]).all()
    assert (result.colours[30, : 24 - BLEED] == 0).all()
    assert (result.alpha == alpha).all()


def test_what_the_depth_rounds_to_nothing_is_hidden(scene) -> None:
    alpha = np.full((SIDE, SIDE), 100, np.uint16)
    alpha[:, 32:] = 65535
    cut_out = CutOut(scene.rgb, alpha)
    deep = recolour_hidden_pixels(cut_out, "clear", np.uint16)
    assert deep is cut_out
    flat = recolour_hidden_pixels(cut_out, "clear", np.uint8)
    assert not flat.colours[:, :32].any()


def test_strips_of_rows_make_no_difference(scene, alpha, monkeypatch) -> None:
    cut_out = CutOut(scene.rgb, alpha)
    whole = recolour_hidden_pixels(cut_out, "bleed", np.uint8).colours
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 5 * SIDE)
    parts = recolour_hidden_pixels(cut_out, "bleed", np.uint8).colours
    # Of equally near pixels either may be taken.
    assert ((parts != 0).any(-1) == (whole != 0).any(-1)).all()
    rows, columns = np.s_[26:38], np.s_[:]
    assert (parts[rows, columns] == whole[rows, columns]).all()


@pytest.mark.parametrize("value", [0, 65535])
def test_without_an_edge_there_is_nothing_to_bleed(scene, value) -> None:
    cut_out = CutOut(scene.rgb, np.full((SIDE, SIDE), value, np.uint16))
    result = recolour_hidden_pixels(cut_out, "bleed", np.uint8)
    assert (result.colours == (scene.rgb if value else 0)).all()


# --- trimming -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("threshold", "size"), [(2, (16, 16)), (0, (40, 40)), (100, (12, 12))]
)
def test_trimming_follows_what_is_seen(
    tmp_path: Path, scene, alpha, threshold, size
) -> None:
    haze = np.zeros_like(alpha)
    haze[12:52, 12:52] = 2 * 257
    path = tmp_path / "a.png"
    options = ExportOptions(trim=True, trim_alpha=threshold)
    export(scene, [ExportTarget(np.maximum(alpha, haze))], path, options)
    with PIL.Image.open(path) as image:
        assert image.size == size


def test_a_faint_object_is_trimmed_to_all_of_it(tmp_path: Path, scene) -> None:
    haze = np.zeros((SIDE, SIDE), np.uint16)
    haze[10:20, 10:30] = 257
    export(scene, [ExportTarget(haze)], tmp_path / "a.png", ExportOptions(trim=True))
    with PIL.Image.open(tmp_path / "a.png") as image:
        assert image.size == (20, 10)


def test_bounds_of_layers_hold_every_pixel(tmp_path: Path, scene, alpha) -> None:
    """A layer is cropped where it is empty, not where it is faint."""
    alpha[10, 10] = 257
    options = replace(ExportOptions(), format="psd")
    export(scene, [ExportTarget(alpha)], tmp_path / "a.psd", options)
    (layer,) = read_all(tmp_path / "a.psd")
    assert layer.shape[:2] == (30, 30)
