"""Commands tell what of their photo was unusable."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from zim_app.cli.photos import read_photo


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
