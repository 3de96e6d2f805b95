"""Export options, and the verification of written files."""

from __future__ import annotations

import datetime
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from zim_app.core import export as exporting
from zim_app.core import formats
from zim_app.core.export import (
    ExportOptions,
    ExportTarget,
    encode,
    export,
    export_to_folder,
    plan_stem,
)
from zim_app.core.images import Image, load_image
from zim_app.core.layered import LayeredImage, LayerSource
from zim_app.core.presets import PresetStore, write_preset
from zim_model.errors import Cancelled, ImageError, ZimError

OPAQUE = 65535
TODAY = datetime.date(2026, 3, 9)


def square(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    alpha = np.zeros((40, 60), np.uint16)
    alpha[top:bottom, left:right] = OPAQUE
    return alpha


@pytest.fixture
def photo() -> Image:
    y, x = np.mgrid[:40, :60]
    pixels = np.stack([x * 4, y * 6, np.full_like(x, 90)], -1).astype(np.uint8)
    return Image.from_array(pixels, "photo.png")


def test_trimmed_with_padding_beyond_the_border(tmp_path: Path, photo: Image) -> None:
    options = ExportOptions(trim=True, padding=5)
    export(photo, [ExportTarget(square(2, 10, 22, 25))], tmp_path / "a.png", options)
    with PIL.Image.open(tmp_path / "a.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (25, 30, 4)
    np.testing.assert_array_equal(pixels[5:20, 5:25, :3], photo.source[10:25, 2:22])
    assert pixels[..., 3].sum() == 255 * 20 * 15
    assert (pixels[5:20, 5:25, 3] == 255).all()


def test_trim_uses_the_files_own_transparency(tmp_path: Path) -> None:
    source = np.full((40, 60, 4), 255, np.uint8)
    source[:, 30:, 3] = 0
    PIL.Image.fromarray(source).save(tmp_path / "a.png")
    photo = load_image(tmp_path / "a.png")
    target = ExportTarget(np.full((40, 60), OPAQUE, np.uint16))
    export(photo, [target], tmp_path / "b.png", ExportOptions(trim=True))
    with PIL.Image.open(tmp_path / "b.png") as image:
        assert image.size == (30, 40)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (ExportOptions(scale=0.5), (30, 20)),
        (ExportOptions(longest_side=30), (30, 20)),
        (ExportOptions(scale=2.0, trim=True), (40, 30)),
        (ExportOptions("matte", scale=0.25), (15, 10)),
        (ExportOptions("composite", scale=0.25), (15, 10)),
    ],
)
def test_scaled(
    tmp_path: Path, photo: Image, options: ExportOptions, size: tuple[int, int]
) -> None:
    target = ExportTarget(square(10, 10, 30, 25))
    export(photo, [target], tmp_path / "a.png", options)
    with PIL.Image.open(tmp_path / "a.png") as image:
        assert image.size == size


@pytest.mark.parametrize("what", ["cutout", "matte", "composite"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bits_of_an_8_bit_image_keep_the_whole_alpha(
    tmp_path: Path, photo: Image, what, suffix: str
) -> None:
    alpha = np.full((40, 60), 300, np.uint16)
    path = tmp_path / f"a{suffix}"
    export(photo, [ExportTarget(alpha)], path, ExportOptions(what, depth="16"))
    if what == "composite":
        return  # its 16 bits are compared when it is read again
    again = load_image(path)
    assert again.source.dtype == np.uint16
    if what == "cutout":
        np.testing.assert_array_equal(again.source, photo.source * np.uint16(257))
        assert (again.source_alpha == 300).all()
    else:
        assert (again.source == 300).all()


def test_8_bits_of_a_16_bit_image(tmp_path: Path) -> None:
    deep = Image.from_array(np.full((4, 5, 3), 30000, np.uint16))
    alpha = np.full((4, 5), 40000, np.uint16)
    export(deep, [ExportTarget(alpha)], tmp_path / "a.png", ExportOptions(depth="8"))
    with PIL.Image.open(tmp_path / "a.png") as image:
        assert image.getpixel((0, 0)) == (117, 117, 117, 156)


def test_quality_makes_smaller_files(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    photo = Image.from_array(noise)
    target = ExportTarget(np.full((64, 64), OPAQUE, np.uint16))
    sizes = []
    for quality in (1, 60, 100):
        options = ExportOptions("composite", quality=quality)
        export(photo, [target], tmp_path / "a.jpg", options)
        sizes.append((tmp_path / "a.jpg").stat().st_size)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[1] < sizes[2]


def test_composite_over_a_background_image(tmp_path: Path, photo: Image) -> None:
    PIL.Image.new("RGB", (600, 300), (9, 200, 30)).save(tmp_path / "back.png")
    options = ExportOptions("composite", background_image=tmp_path / "back.png")
    target = ExportTarget(square(0, 0, 30, 40))
    export(photo, [target], tmp_path / "a.png", options)
    with PIL.Image.open(tmp_path / "a.png") as image:
        pixels = np.asarray(image)
    np.testing.assert_array_equal(pixels[:, :30], photo.source[:, :30])
    assert (pixels[:, 30:] == (9, 200, 30)).all()
    (tmp_path / "back.png").unlink()
    with pytest.raises(ImageError, match=r"back\.png cannot be read"):
        export(photo, [target], tmp_path / "a.png", options)


def test_background_is_taken_out_of_soft_edges(tmp_path: Path) -> None:
    """A red object, blurred over green, of which the amount decides how much stays."""
    soft = np.clip((np.arange(60) - 20) / 20, 0, 1)
    alpha = np.broadcast_to(soft, (40, 60))
    red, green = np.array((220, 20, 20)), np.array((20, 200, 20))
    mixed = red * alpha[..., None] + green * (1 - alpha[..., None])
    photo = Image.from_array(mixed.round().astype(np.uint8))
    matte = (alpha * OPAQUE).astype(np.uint16)
    errors = []
    for own, option in ((0.0, None), (1.0, None), (0.0, 1.0), (1.0, 0.0)):
        target = ExportTarget(matte, decontaminate=own)
        options = ExportOptions(decontaminate=option)
        export(photo, [target], tmp_path / "a.png", options)
        with PIL.Image.open(tmp_path / "a.png") as image:
            edge = np.asarray(image)[:, 26:36, :3].astype(int)
        errors.append(np.abs(edge - red).mean())
    assert errors[0] == errors[3]
    assert errors[1] == errors[2]
    assert errors[1] < errors[0] / 4


def test_objects_together_in_a_flat_file(tmp_path: Path, photo: Image) -> None:
    targets = [ExportTarget(square(0, 0, 10, 10)), ExportTarget(square(30, 20, 40, 30))]
    export(photo, targets, tmp_path / "a.png")
    with PIL.Image.open(tmp_path / "a.png") as image:
        alpha = np.asarray(image)[..., 3]
    assert alpha.sum() == 255 * 200
    assert alpha[5, 5] == alpha[25, 35] == 255


@pytest.mark.parametrize("side", [200_000, 20_000])
def test_result_has_a_largest_size(tmp_path: Path, photo: Image, side: int) -> None:
    options = ExportOptions(longest_side=side)
    with pytest.raises(ImageError, match=r"at most|limit is 150 million"):
        export(photo, [ExportTarget(square(0, 0, 9, 9))], tmp_path / "a.png", options)


# --- the check after writing --------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "what"),
    [
        *[(suffix, "cutout") for suffix in (".png", ".tif", ".webp", ".psd", ".ora")],
        (".jpg", "composite"),
        (".png", "matte"),
    ],
)
@pytest.mark.parametrize("damage", ["truncated", "other pixels", "no profile"])
def test_file_that_reads_back_differently_is_an_error(
    tmp_path: Path,
    photo: Image,
    p3_profile: bytes,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    what,
    damage: str,
) -> None:
    """As with a broken disk or encoder; the old file is kept."""
    if damage == "no profile" and what == "matte":
        pytest.skip("has no profile of its own")
    entry = formats.BY_SUFFIX[suffix]

    def write(stream, content, tags) -> None:
        if damage == "no profile":
            tags = replace(tags, icc=None)
        elif damage == "other pixels":
            if entry.layered:
                [layer] = content.render_layers()
                other = replace(layer, pixels=layer.pixels ^ 1)
                content = LayeredImage(
                    *content.merged.shape[:2],
                    content.merged.dtype,
                    [LayerSource(other.name, lambda: other)],
                )
            else:
                content = content ^ (0x40 if suffix == ".jpg" else 1)
        entry.write(stream, content, tags)
        if damage == "truncated":
            stream.seek(0)
            stream._stream.truncate(50)

    monkeypatch.setitem(formats.BY_SUFFIX, suffix, replace(entry, write=write))
    photo = replace(photo, icc=p3_profile)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"precious")
    with pytest.raises(ImageError, match=rf"a{suffix} was not written correctly"):
        export(photo, [ExportTarget(square(3, 3, 30, 30))], path, ExportOptions(what))
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".psd", ".ora"])
def test_cancelled_export_leaves_nothing(
    tmp_path: Path, photo: Image, suffix: str
) -> None:
    polls = 0
    while True:
        left = polls

        def cancelled() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        try:
            export(
                photo,
                [ExportTarget(square(0, 0, 30, 30))],
                tmp_path / f"a{suffix}",
                ExportOptions(scale=0.5),
                cancelled=cancelled,
            )
        except Cancelled:
            assert not list(tmp_path.iterdir())
            polls += 1
        else:
            break
    assert polls > 3
    assert len(list(tmp_path.iterdir())) == 1


# --- names -------------------------------------------------------------------------


def test_each_object_in_a_file_of_its_own(tmp_path: Path, photo: Image) -> None:
    targets = [
        ExportTarget(square(0, 0, 10, 10), "dog"),
        ExportTarget(square(30, 20, 55, 30), "lead/red"),
    ]
    options = ExportOptions(
        trim=True, scope="each", template="{n}-{name}-{object}-{width}x{height}-{date}"
    )
    fractions: list[float] = []
    paths = export_to_folder(
        photo, targets, tmp_path, options, today=TODAY, progress=fractions.append
    )
    assert [path.name for path in paths] == [
        "1-photo-dog-10x10-2026-03-09.png",
        "2-photo-lead-red-25x10-2026-03-09.png",
    ]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    for path in paths:
        assert path.exists()


@pytest.mark.parametrize(
    ("template", "names", "files"),
    [
        ("{name}", ["dog", "cat"], ["photo-dog", "photo-cat"]),
        ("{name}", ["", ""], ["photo-1", "photo-2"]),
        ("{name} {n}", ["dog", "cat"], ["photo 1", "photo 2"]),
        ("{object}", ["dog", "cat"], ["dog", "cat"]),
    ],
)
def test_files_of_objects_are_told_apart(
    tmp_path: Path, photo: Image, template: str, names: list[str], files: list[str]
) -> None:
    targets = [ExportTarget(square(0, 0, 10, 10), name) for name in names]
    options = ExportOptions(scope="each", template=template)
    paths = export_to_folder(photo, targets, tmp_path, options)
    assert [path.stem for path in paths] == files


def test_nothing_is_replaced_silently(tmp_path: Path, photo: Image) -> None:
    targets = [
        ExportTarget(square(0, 0, 10, 10), "dog"),
        ExportTarget(square(9, 9, 19, 19), "dog"),
    ]
    taken = tmp_path / "photo-cutout-dog.png"
    taken.write_bytes(b"precious")
    options = ExportOptions(scope="each")
    paths = export_to_folder(photo, targets, tmp_path, options)
    assert [path.name for path in paths] == [
        "photo-cutout-dog-2.png",
        "photo-cutout-dog-3.png",
    ]
    assert taken.read_bytes() == b"precious"


def test_replacing_is_possible_with_the_option(tmp_path: Path, photo: Image) -> None:
    targets = [
        ExportTarget(square(0, 0, 10, 10), "dog"),
        ExportTarget(square(9, 9, 19, 19), "dog"),
    ]
    taken = tmp_path / "photo-cutout-dog.png"
    taken.write_bytes(b"old")
    options = ExportOptions(scope="each")
    paths = export_to_folder(photo, targets, tmp_path, options, overwrite=True)
    assert [path.name for path in paths] == [
        "photo-cutout-dog.png",
        "photo-cutout-dog-2.png",
    ]
    assert load_image(taken).width == 60


def test_copy_is_a_png_with_straight_alpha(photo: Image) -> None:
    data = encode(photo, [ExportTarget(square(2, 3, 12, 23))], ExportOptions(trim=True))
    with PIL.Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGBA", (10, 20))
        assert image.getpixel((0, 0)) == (8, 18, 90, 255)


def test_planned_name_is_the_one_that_is_written(tmp_path: Path, photo: Image) -> None:
    targets = [
        ExportTarget(square(0, 0, 10, 10), "a"),
        ExportTarget(square(3, 3, 19, 19), "b"),
    ]
    options = ExportOptions(format="ora", trim=True, template="{object} {what} {width}")
    frame = options.frame(60, 40, (0, 0, 19, 19))
    stem = plan_stem("photo", ["a", "b"], frame, options, today=TODAY)
    assert stem == "a + b layers 19"
    [path] = export_to_folder(photo, targets, tmp_path, options)
    assert path.name == f"{stem}.ora"


def test_bad_template_writes_nothing(tmp_path: Path, photo: Image) -> None:
    options = ExportOptions(template="{nmae}")
    with pytest.raises(ZimError, match="unknown field"):
        export_to_folder(photo, [ExportTarget(square(0, 0, 9, 9))], tmp_path, options)
    assert not list(tmp_path.iterdir())
    assert exporting.FORMATS[0].id == "png"


def test_exports_at_the_same_time_never_replace_each_other(photo, tmp_path):
    targets = [ExportTarget(square(2, 2, 9, 9))]
    folder = tmp_path / "out"
    folder.mkdir()

    def work(_: int) -> list[Path]:
        paths: list[Path] = []
        for _ in range(5):
            paths += export_to_folder(photo, targets, folder, ExportOptions())
        return paths

    with ThreadPoolExecutor(4) as pool:
        written = [path for paths in pool.map(work, range(4)) for path in paths]
    assert len(set(written)) == len(written) == 20
    assert sorted(written) == sorted(folder.iterdir())


def test_paths_as_text(tmp_path: Path, photo: Image) -> None:
    path = str(tmp_path / "a.png")
    assert export(photo, [ExportTarget(square(2, 10, 22, 25))], path) == Path(path)
    assert load_image(path).source_alpha is not None
    write_preset(str(tmp_path / "a.json"), ExportOptions())
    assert PresetStore().find(str(tmp_path / "a.json")).options == ExportOptions()
