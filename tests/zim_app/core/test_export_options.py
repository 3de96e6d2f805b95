from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zim_app.core.canvas import Canvas
from zim_app.core.export_options import ExportOptions
from zim_app.core.framing import ExportFrame
from zim_model.errors import ZimError

OPTIONS = st.builds(
    ExportOptions,
    what=st.sampled_from(["matte", "composite"]),
    format=st.sampled_from(["png", "jpeg", "psd"]),
    depth=st.sampled_from(["source", "8", "16"]),
    quality=st.integers(1, 100),
    background=st.tuples(*[st.integers(0, 255)] * 3),
    background_image=st.none() | st.just(Path("/pictures/été.jpg")),
    trim=st.booleans(),
    padding=st.integers(0, 500),
    scale=st.floats(0.01, 10),
    longest_side=st.none() | st.integers(1, 9000),
    decontaminate=st.none() | st.floats(0, 1),
    scope=st.sampled_from(["active", "each", "together"]),
    original=st.booleans(),
    template=st.sampled_from(["{name}", "{object}-{n:02}"]),
    canvas=st.none()
    | st.builds(
        Canvas,
        unit=st.sampled_from(["px", "ratio"]),
        width=st.integers(100, 3000),
        height=st.integers(100, 3000),
        padding=st.floats(0, 49),
        align=st.sampled_from(["centre", "bottom"]),
        enlarge=st.booleans(),
    ),
    shadow=st.booleans(),
)


@given(OPTIONS)
def test_options_survive_a_file(options: ExportOptions) -> None:
    again = ExportOptions.from_json(json.loads(json.dumps(options.to_json())))
    assert again == options


def test_missing_and_later_options_are_no_error() -> None:
    assert ExportOptions.from_json({"later": 1}) == ExportOptions()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"what": "layer"}, "what is 'layer'. It must be one of cutout, matte"),
        ({"format": "xcf"}, "format is 'xcf'. It must be one of png, tiff"),
        ({"depth": 16}, "depth is 16"),
        ({"quality": 0}, "quality is 0. It must be a whole number from 1 to 100"),
        ({"padding": -1}, "padding is -1"),
        ({"scale": float("nan")}, "scale is nan"),
        ({"longest_side": 0}, "longest side is 0"),
        ({"decontaminate": 1.5}, "decontaminate is 1.5"),
        ({"background": [1, 2, 256]}, "background is"),
        ({"background": [1, 2]}, "cannot be read"),
        ({"trim": "yes"}, "trim is 'yes'"),
        ({"trim": 1}, "trim is 1"),
        ({"quality": 90.5}, "quality is 90.5. It must be a whole number"),
        ({"longest_side": 640.0}, "longest side is 640.0"),
        ({"shadow": "no"}, "shadow is 'no'"),
        ({"template": 3}, "template is 3"),
        ({"template": "{x}"}, "unknown field"),
        ({"background_picture": 3}, "cannot be read"),
        ({"what": []}, r"what is \[\]"),
        ({"format": "jpeg"}, "JPEG cannot hold the transparency"),
        ({"quality": None}, "quality is None"),
        ({"scale": 10**400}, "scale is 1000"),
        ({"canvas": {"padding": 10**400}}, "padding is 1000"),
    ],
)
def test_malformed_options_are_refused_by_name(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ZimError, match=sentence):
        ExportOptions.from_json(ExportOptions().to_json() | changes)


def test_frame_of_an_image() -> None:
    support = (10, 20, 30, 60)
    frame = ExportOptions().frame(100, 80, support)
    assert frame == ExportFrame((0, 0, 100, 80), 100, 80)
    options = ExportOptions(trim=True, padding=15, scale=0.5)
    assert options.frame(100, 80, support) == ExportFrame((-5, 5, 45, 75), 25, 35)
    options = ExportOptions(trim=True, longest_side=400)
    assert options.frame(100, 80, support) == ExportFrame(support, 200, 400)
    assert ExportOptions(scale=0.001).frame(100, 80, None).width == 1


def test_nothing_cannot_be_trimmed() -> None:
    with pytest.raises(ZimError, match="nothing to export"):
        ExportOptions(trim=True).frame(100, 80, None)
