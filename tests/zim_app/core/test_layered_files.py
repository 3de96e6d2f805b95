"""PSD and OpenRaster files, read with other libraries."""

from __future__ import annotations

import io
import weakref
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import PIL.Image
import pytest
from psd_tools import PSDImage
from psd_tools.constants import Resource

from zim_app.core.export import ExportOptions, ExportTarget, export, write_content
from zim_app.core.formats import BY_SUFFIX
from zim_app.core.images import Image, load_image
from zim_app.core.layered import ImageLayer, LayeredImage, LayerSource
from zim_app.core.pixels import convert_depth
from zim_app.core.psd import check_merged, read_psd
from zim_app.core.rasters import Tags

SIZE = (20, 30)


@pytest.fixture(params=[np.uint8, np.uint16], ids=["8", "16"])
def photo(request, p3_profile: bytes) -> Image:
    rng = np.random.default_rng(1)
    top = np.iinfo(request.param).max
    pixels = rng.integers(0, top, (*SIZE, 3), dtype=request.param, endpoint=True)
    plain = Image.from_array(pixels, "photo.png")
    return Image(
        None, plain.name, plain.rgb, plain.source, p3_profile, (300, 300), None, "k"
    )


@pytest.fixture
def targets() -> list[ExportTarget]:
    rng = np.random.default_rng(2)
    first, second = np.zeros((2, *SIZE), np.uint16)
    first[3:9, 5:25] = rng.integers(1, 65536, (6, 20))
    second[6:19, 2:4] = rng.integers(1, 65536, (13, 2))
    return [ExportTarget(first, "dög 犬"), ExportTarget(second, "", visible=False)]


def layer_pixels(layer: object, dtype: type) -> np.ndarray:
    """(H, W, 4) of a psd-tools layer, which gives floats."""
    scale = np.iinfo(dtype).max
    return np.round(layer.numpy().astype(np.float64) * scale).astype(dtype)


def test_psd_holds_every_object(tmp_path: Path, photo: Image, targets) -> None:
    path = tmp_path / "a.psd"
    export(photo, targets, path, ExportOptions(original=True))
    psd = PSDImage.open(path)
    depth = photo.source.dtype.type
    assert (psd.width, psd.height, psd.depth) == (30, 20, 8 * depth().itemsize)
    assert psd.image_resources.get_data(Resource.ICC_PROFILE) == photo.icc
    resolution = psd.image_resources.get_data(Resource.RESOLUTION_INFO)
    assert resolution.horizontal == 300 << 16
    original, dog, hidden = psd
    assert [original.name, dog.name, hidden.name] == ["Original", "dög 犬", "Object 2"]
    assert [original.visible, dog.visible, hidden.visible] == [False, True, False]
    assert dog.bbox == (5, 3, 25, 9)
    assert hidden.bbox == (2, 6, 4, 19)
    for layer, target in ((dog, targets[0]), (hidden, targets[1])):
        left, top, right, bottom = layer.bbox
        pixels = layer_pixels(layer, depth)
        inside = np.s_[top:bottom, left:right]
        np.testing.assert_array_equal(pixels[..., :3], photo.source[inside])
        np.testing.assert_array_equal(
            pixels[..., 3], convert_depth(target.alpha[inside], depth)
        )
    np.testing.assert_array_equal(layer_pixels(original, depth)[..., :3], photo.source)


def test_psd_without_layers_shows_the_visible_ones_over_white(
    tmp_path: Path, photo: Image, targets
) -> None:
    path = tmp_path / "a.psd"
    export(photo, targets, path)
    psd = PSDImage.open(path)
    depth = photo.source.dtype.type
    channels = psd._record.image_data.get_data(psd._record.header)
    planes = [
        np.frombuffer(plane, np.dtype(depth).newbyteorder(">")).reshape(SIZE)
        for plane in channels
    ]
    alpha = convert_depth(targets[0].alpha, depth)
    np.testing.assert_array_equal(planes[3], alpha)
    top = np.iinfo(depth).max
    opacity = alpha[..., None] / top
    white = photo.source * opacity + top * (1 - opacity)
    np.testing.assert_allclose(np.stack(planes[:3], -1), white, atol=0.51)
    if depth == np.uint8:
        with PIL.Image.open(path) as image:
            assert image.mode == "RGBA"
            np.testing.assert_array_equal(np.asarray(image)[..., 3], alpha)


def test_openraster_holds_every_object(tmp_path: Path, photo: Image, targets) -> None:
    path = tmp_path / "a.ora"
    export(photo, targets, path)
    depth = photo.source.dtype.type
    with zipfile.ZipFile(path) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", 0)
        assert archive.read("mimetype") == b"image/openraster"
        root = ElementTree.fromstring(archive.read("stack.xml"))
        assert root.attrib == {
            "version": "0.0.3",
            **{"w": "30", "h": "20", "xres": "300", "yres": "300"},
        }
        hidden, dog = root.iter("layer")  # the highest comes first
        assert (dog.get("name"), dog.get("x"), dog.get("y")) == ("dög 犬", "5", "3")
        assert (hidden.get("visibility"), dog.get("visibility")) == (
            "hidden",
            "visible",
        )
        data = archive.read(dog.get("src"))
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        assert pixels.dtype == depth
        np.testing.assert_array_equal(pixels[..., 2::-1], photo.source[3:9, 5:25])
        with PIL.Image.open(io.BytesIO(data)) as image:
            assert image.info["icc_profile"] == photo.icc
        merged = archive.read("mergedimage.png")
        with PIL.Image.open(io.BytesIO(merged)) as image:
            assert image.size == (30, 20)
        with PIL.Image.open(archive.open("Thumbnails/thumbnail.png")) as image:
            assert image.size == (30, 20)


def test_a_name_that_is_no_text_is_written_as_far_as_it_is(
    tmp_path: Path, photo: Image, targets
) -> None:
    """As of an object from a mask file whose name has bytes in no encoding."""
    named = [replace(target, name="a\udcff") for target in targets]
    path = export(photo, named, tmp_path / "a.psd")
    assert [layer.name for layer in PSDImage.open(path)] == ["a?", "a?"]
    export(photo, named, tmp_path / "a.ora")


@pytest.mark.parametrize("suffix", [".psd", ".ora"])
def test_layers_are_trimmed_and_scaled_together(
    tmp_path: Path, photo: Image, targets, suffix: str
) -> None:
    options = ExportOptions(trim=True, padding=1, scale=2, depth="8")
    path = tmp_path / f"a{suffix}"
    export(photo, targets, path, options)
    if suffix == ".ora":
        with zipfile.ZipFile(path) as archive:
            root = ElementTree.fromstring(archive.read("stack.xml"))
        assert (root.get("w"), root.get("h")) == ("50", "36")
        return
    psd = PSDImage.open(path)
    assert (psd.width, psd.height, psd.depth) == (50, 36, 8)
    # Enlarged edges are soft: they reach some pixels further.
    left, top, right, bottom = psd[0].bbox
    assert abs(left - 8) <= 4
    assert abs(top - 2) <= 4
    assert abs(right - 48) <= 4
    assert abs(bottom - 14) <= 4


def test_nothing_visible_is_an_empty_image(tmp_path: Path, photo: Image) -> None:
    clear = ExportTarget(np.zeros(SIZE, np.uint16), "nothing", visible=False)
    for suffix in (".psd", ".ora"):
        export(photo, [clear], tmp_path / f"a{suffix}")
    psd = PSDImage.open(tmp_path / "a.psd")
    assert [layer.name for layer in psd] == ["nothing"]
    assert not psd[0].numpy()[..., 3].any()


def test_rotated_photo_with_own_transparency(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[274] = 6
    stored = PIL.Image.new("RGBA", (6, 4), (200, 100, 50, 102))  # 40 % opaque
    stored.save(tmp_path / "a.png", exif=exif)
    photo = load_image(tmp_path / "a.png")
    alpha = np.full((6, 4), 32768, np.uint16)
    export(photo, [ExportTarget(alpha)], tmp_path / "a.psd")
    [layer] = PSDImage.open(tmp_path / "a.psd")
    assert layer.size == (4, 6)
    pixels = layer_pixels(layer, np.uint8)
    assert pixels[0, 0].tolist() == [200, 100, 50, 102]


@pytest.mark.parametrize("suffix", [".psd", ".ora"])
def test_layers_are_written_to_the_same_bytes_at_another_time(
    tmp_path: Path, photo: Image, targets, suffix: str, monkeypatch
) -> None:
    first = export(photo, targets, tmp_path / f"first{suffix}").read_bytes()
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    second = export(photo, targets, tmp_path / f"second{suffix}").read_bytes()
    assert first == second


def test_the_merged_image_of_many_faint_layers_has_their_joint_alpha(
    tmp_path: Path,
) -> None:
    """At 8 bits the rounding of each layer would add up to a tenth."""
    rng = np.random.default_rng(0)
    alphas = [np.full(SIZE, value, np.uint16) for value in rng.integers(900, 3000, 50)]
    image = Image.from_array(np.full((*SIZE, 3), 120, np.uint8), "photo.png")
    export(image, [ExportTarget(alpha) for alpha in alphas], tmp_path / "a.ora")
    with zipfile.ZipFile(tmp_path / "a.ora") as archive:
        merged = cv2.imdecode(
            np.frombuffer(archive.read("mergedimage.png"), np.uint8),
            cv2.IMREAD_UNCHANGED,
        )
    joint = 1 - np.prod([1 - np.round(a / 257) / 255 for a in alphas], 0)
    assert np.abs(merged[..., 3] / 255 - joint).max() < 1 / 255


def test_a_damaged_merged_image_of_a_psd_is_noticed(tmp_path: Path, photo, targets):
    path = tmp_path / "a.psd"
    export(photo, targets, path)
    with path.open("rb") as stream:
        _, layers, _ = read_psd(stream)
        sources = [
            LayerSource(layer.name, lambda layer=layer: layer) for layer in layers
        ]
        content = LayeredImage(*SIZE, photo.source.dtype, sources)
        for _ in content.render_layers():
            pass
        check_merged(stream, content.merged)
    data = bytearray(path.read_bytes())
    data[-3] ^= 0xFF
    path.write_bytes(data)
    with path.open("rb") as stream, pytest.raises(ValueError, match="merged image"):
        check_merged(stream, content.merged)


@pytest.mark.parametrize("suffix", [".psd", ".ora"])
def test_layers_are_in_memory_one_at_a_time(tmp_path: Path, suffix: str) -> None:
    made: list[weakref.ref] = []

    def render() -> ImageLayer:
        assert all(before() is None for before in made)
        pixels = np.zeros((4, 5, 4), np.uint8)
        made.append(weakref.ref(pixels))
        return ImageLayer("a", 0, 0, True, pixels)

    image = LayeredImage(4, 5, np.dtype(np.uint8), [LayerSource("a", render)] * 3)
    path = tmp_path / f"a{suffix}"
    write_content(path, BY_SUFFIX[suffix], image, Tags(None, None))
    assert len(made) == 3


@pytest.mark.parametrize("suffix", [".psd", ".ora"])
def test_layers_are_written_again_under_another_name(
    tmp_path: Path, photo: Image, targets, suffix: str
) -> None:
    path, whole = tmp_path / f"a{suffix}", tmp_path / f"whole{suffix}"
    export(photo, targets, whole)

    def another_program_takes_the_name() -> bool:
        path.write_bytes(b"theirs")
        return False

    written = export(
        photo, targets, path, taken=[], cancelled=another_program_takes_the_name
    )
    assert written != path
    assert path.read_bytes() == b"theirs"
    assert written.read_bytes() == whole.read_bytes()
