from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zim_app.core.naming import NameFields, file_stem, free_path, sanitise
from zim_model.errors import ZimError

VALUES = NameFields(
    "IMG_1", "red dog", "cutout", 7, 800, 600, datetime.date(2026, 3, 9)
)


@pytest.mark.parametrize(
    ("template", "stem"),
    [
        ("{name}-{what}", "IMG_1-cutout"),
        ("{object} {n:03}", "red dog 007"),
        ("{width}x{height}", "800x600"),
        ("{date}_{date:%Y%m%d}", "2026-03-09_20260309"),
        ("{{{name}}}", "{IMG_1}"),
        ("plain", "plain"),
        ("{name}. ", "IMG_1"),
        ("..{name}", "IMG_1"),
        ("con", "_con"),
        ("LPT1.x", "_LPT1.x"),
        ('a<b>:"c|?*d', "a-b---c---d"),
    ],
)
def test_template_gives_the_name(template: str, stem: str) -> None:
    assert file_stem(template, VALUES) == stem


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{nmae}", r"unknown field \{nmae\}. Known are \{name\}, \{object\}"),
        ("{}", r"unknown field \{\}"),
        ("{0}", r"unknown field \{0\}"),
        ("{name.__class__}", "unknown field"),
        ("{name!r}", "unknown field"),
        ("{name", "malformed: expected"),
        ("}", "malformed"),
        ("{n:x!}", "malformed format"),
        ("{n:999999999}", "too long"),
        ("../{name}", "has a slash"),
        ("a\\b", "has a slash"),
        ("", "empty name"),
        (" . ", "empty name"),
    ],
)
def test_other_templates_are_refused_in_a_sentence(
    template: str, sentence: str
) -> None:
    with pytest.raises(ZimError, match=sentence):
        file_stem(template, VALUES)


def test_values_cannot_lead_out_of_the_folder() -> None:
    values = replace(VALUES, name="../../etc/passwd", object="a\\b\0c\n")
    assert file_stem("{name} {object}", values) == "-..-etc-passwd a-b-c-"


@given(st.text(max_size=300))
def test_any_text_becomes_one_name_that_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    stem = sanitise(text)
    assert stem == sanitise(stem)
    if stem:
        folder = tmp_path_factory.getbasetemp()
        path = folder / f"{stem}.txt"
        assert path.parent == folder
        path.write_bytes(b"")
        path.unlink()


def test_taken_names_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert free_path(path) == path
    path.touch()
    (tmp_path / "a-2.png").symlink_to(tmp_path / "nowhere")
    assert free_path(path) == tmp_path / "a-3.png"
    assert free_path(path, {tmp_path / "a-3.png"}) == tmp_path / "a-4.png"
