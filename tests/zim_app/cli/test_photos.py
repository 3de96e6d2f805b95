"""Commands tell what of their photo was unusable."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from zim_app.cli.photos import read_photo
from zim_app.cli.progress import about


def test_what_was_unusable_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (8, 8)).save(path)
    read_photo(path)
    assert capsys.readouterr().err == ""
    path.write_bytes(path.read_bytes()[:-2])
    assert read_photo(path).width == 8
    assert capsys.readouterr().err == (
        "zim-studio: warning: Unusable and ignored in a.jpg: end marker. "
        "All pixels were read.\n"
    )


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("in/a.png", "a.png is empty. Give one.", "in/a.png is empty. Give one."),
        ("in/a.png", "in/a.png is empty.", "in/a.png is empty."),
        ("a.png", "The box is outside.", "a.png: The box is outside."),
        ("a", "a.png is empty.", "a: a.png is empty."),
        ("a\x1b.png", "a\x1b.png is\nempty.", r"a\x1b.png is empty."),
    ],
)
def test_a_line_names_its_file_once(name: str, text: str, line: str) -> None:
    assert about(name, text) == line
