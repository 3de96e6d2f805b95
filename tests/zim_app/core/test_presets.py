"""Export presets: names, files, and what is refused."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zim_app.core.canvas import Canvas
from zim_app.core.export import ExportTarget, export_to_folder
from zim_app.core.export_options import ExportOptions
from zim_app.core.images import Image, load_image
from zim_app.core.presets import (
    BUILT_IN,
    PresetStore,
    check_name,
    presets_folder,
    read_preset,
    write_preset,
)
from zim_model.errors import ZimError

OPTIONS = ExportOptions(
    "composite",
    "jpeg",
    quality=77,
    background=(1, 2, 3),
    canvas=Canvas(300, 400, "px", padding=12.5, align="bottom"),
    shadow=True,
    template="{name}-shop",
)


@pytest.fixture
def store(tmp_path: Path) -> PresetStore:
    return PresetStore(tmp_path / "config" / "presets")


def names(store: PresetStore) -> list[str]:
    """Of the user's own presets."""
    return [each.name for each in store.load()[0] if not each.built_in]


def stored(**changes: Any) -> str:
    data = {"format": "zim-studio export preset", "version": 1}
    return json.dumps(data | {"options": OPTIONS.to_json()} | changes)


# -- Built-in --------------------------------------------------------------------------


@pytest.mark.parametrize("preset", BUILT_IN, ids=lambda preset: preset.name)
def test_a_built_in_preset_makes_a_file(preset, tmp_path: Path) -> None:
    pixels = np.full((90, 120, 3), 240, np.uint8)
    pixels[20:70, 30:80] = (200, 30, 20)
    alpha = np.zeros((90, 120), np.uint16)
    alpha[20:70, 30:80] = 65535
    options = preset.options.validate()
    image = Image.from_array(pixels, "cup.png")
    [path] = export_to_folder(image, [ExportTarget(alpha)], tmp_path, options)
    written = load_image(path)
    canvas = options.canvas
    if canvas is not None and canvas.is_fixed:
        assert (written.width, written.height) == (canvas.width, canvas.height)
        assert (written.source[:20] > 250).all(), "white at the border"
    elif canvas is not None:
        assert written.width == written.height > 50
        assert written.source_alpha is not None
    else:
        assert max(written.width, written.height) == options.longest_side


def test_the_marketplace_preset_fills_85_percent() -> None:
    options = BUILT_IN[0].options
    for support in ((0, 0, 300, 900), (0, 0, 5000, 100)):
        frame = options.frame(5000, 5000, support)
        left, top, right, bottom = frame.filled
        assert max(right - left, bottom - top) == pytest.approx(1700, abs=60)


# -- Saving, renaming, deleting --------------------------------------------------------


def test_an_own_preset_is_saved_renamed_and_deleted(store: PresetStore) -> None:
    assert names(store) == []
    assert store.save(" Étagère 2 ", OPTIONS).name == "Étagère 2"
    again = PresetStore(store.folder)
    presets, problems = again.load()
    assert (presets[: len(BUILT_IN)], problems) == (BUILT_IN, ())
    assert presets[-1].options == OPTIONS
    assert again.find("étagère 2").options == OPTIONS
    assert store.rename("Étagère 2", "shelf") == "shelf"
    assert names(store) == ["shelf"]
    store.delete("Shelf")
    assert names(store) == []
    assert list(store.folder.iterdir()) == []


def test_saving_again_replaces_and_keeps_the_case(store: PresetStore) -> None:
    store.save("Shop A", ExportOptions())
    assert store.save("shop a", OPTIONS).name == "Shop A"
    assert [(x.name, x.options) for x in store.load()[0][-1:]] == [("Shop A", OPTIONS)]
    assert len(list(store.folder.iterdir())) == 1


def test_the_case_of_a_name_can_be_changed(store: PresetStore) -> None:
    store.save("shop a", OPTIONS)
    assert store.rename("shop a", "Shop A") == "Shop A"
    assert names(store) == ["Shop A"]


def test_names_are_in_alphabetical_order(store: PresetStore) -> None:
    for name in ("b", "A", "c"):
        store.save(name, OPTIONS)
    assert names(store) == ["A", "b", "c"]


@pytest.mark.parametrize(
    "name",
    ["", "  ", "a/b", "..", "../x", "a\\b", "c:", "con", ".hidden", "x." * 150, "a\0b"],
)
def test_no_name_leads_out_of_the_folder(store: PresetStore, name: str) -> None:
    with pytest.raises(ZimError, match="cannot be the name of a preset"):
        store.save(name, OPTIONS)
    store.save("good", OPTIONS)
    with pytest.raises(ZimError, match="cannot be the name of a preset"):
        store.rename("good", name)
    assert [x.name for x in store.folder.iterdir()] == ["good.json"]


def test_taken_names_are_refused(store: PresetStore) -> None:
    store.save("one", OPTIONS)
    store.save("two", OPTIONS)
    with pytest.raises(ZimError, match="There is a preset TWO already"):
        store.rename("one", "TWO")
    for name in ("marketplace", "Square, transparent"):
        with pytest.raises(ZimError, match="name of a built-in preset"):
            check_name(name)
    with pytest.raises(ZimError, match="There is no preset 'three'"):
        store.delete("three")


def test_invalid_options_are_not_saved(store: PresetStore) -> None:
    store.save("one", OPTIONS)
    with pytest.raises(ZimError, match="quality is 0"):
        store.save("one", replace(OPTIONS, quality=0))
    assert store.find("one").options == OPTIONS


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(ZimError, match="locked"):
        PresetStore(tmp_path / "locked" / "presets").save("one", OPTIONS)


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "presets").write_text("")
    store = PresetStore(tmp_path / "presets")
    assert store.load() == (BUILT_IN, ())
    with pytest.raises(ZimError, match="presets cannot be written"):
        store.save("one", OPTIONS)


def test_the_folder_is_the_systems_or_a_named_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ZIM_STUDIO_PRESETS", raising=False)
    assert presets_folder().parts[-2:] == ("zim-studio", "presets")
    monkeypatch.setenv("ZIM_STUDIO_PRESETS", str(tmp_path))
    assert PresetStore().folder == tmp_path


# -- Files -----------------------------------------------------------------------------


def test_a_shared_file_is_read_by_its_path_and_added(
    store: PresetStore, tmp_path: Path
) -> None:
    path = tmp_path / "From a colleague.json"
    write_preset(path, OPTIONS)
    assert store.find(str(path)).options == OPTIONS
    assert names(store) == [], "reading is not adding"
    assert store.add(path).name == "From a colleague"
    assert store.add(path).name == "From a colleague", "the same one again"
    write_preset(path, ExportOptions())
    assert store.add(path).name == "From a colleague-2"
    assert names(store) == ["From a colleague", "From a colleague-2"]
    assert store.find("from a colleague").options == OPTIONS


def test_a_shared_file_with_a_built_in_name_gets_a_number(
    store: PresetStore, tmp_path: Path
) -> None:
    write_preset(tmp_path / "Marketplace.json", OPTIONS)
    assert store.add(tmp_path / "Marketplace.json").name == "Marketplace-2"


def test_a_preset_may_leave_out_what_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(stored(options={"canvas": {"padding": 5}}))
    preset = read_preset(tmp_path / "a.json")
    assert preset.options == ExportOptions(canvas=Canvas(padding=5))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a.json is damaged or no zim-studio export preset"),
        ("[1]", "a.json is no zim-studio export preset"),
        ('{"format": "zim-studio project"}', "a.json is no zim-studio export preset"),
        (stored(version=2), "of version 2; known are 1 to 1"),
        (stored(version="1"), "version '1', which is none"),
        (stored(author="me"), "a.json is no usable preset.*unknown field 'author'"),
        (stored(options=None), "field options is malformed"),
        (stored(options={"qualtiy": 90}), "unknown field 'qualtiy'.*spelling"),
        (stored(options={"quality": 900}), "quality is 900.*from 1 to 100"),
        (stored(options={"canvas": {"size": 3}}), "unknown field 'size'"),
        (stored(options={"canvas": 2000}), "canvas is '2000'"),
        (stored(options={"format": "jpeg"}), "JPEG cannot hold the transparency"),
        (stored(options={"template": "../{name}"}), "has a slash in it"),
        (stored()[:-20], "a.json is damaged"),
        (stored().replace("77", "NaN"), "a.json is damaged.*NaN"),
    ],
)
def test_a_malformed_file_is_named_and_left_out(
    store: PresetStore, text: str, sentence: str
) -> None:
    store.save("good", OPTIONS)
    (store.folder / "a.json").write_text(text)
    presets, problems = store.load()
    assert [each.name for each in presets[len(BUILT_IN) :]] == ["good"]
    assert len(problems) == 1
    with pytest.raises(ZimError, match=sentence):
        store.find("a")
    assert "a.json" in str(problems[0])
    with pytest.raises(ZimError, match=sentence):
        store.add(store.folder / "a.json")


def test_unknown_names_are_answered_with_the_known_ones(store: PresetStore) -> None:
    store.save("mine", OPTIONS)
    with pytest.raises(ZimError, match=r"no preset 'mien'.*marketplace, .*, mine"):
        store.find("mien")
    with pytest.raises(ZimError, match="cannot be read: there is no such file"):
        store.find("missing.json")
