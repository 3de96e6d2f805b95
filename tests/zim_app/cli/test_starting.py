"""Starting commands as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from zim_model.assets import asset_path

SUBPROCESS = [sys.executable, "-m", "zim_app"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (8, 6), (200, 100, 50)).save(path)
    return path


def without_display(**extra: str) -> dict[str, str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return {k: v for k, v in os.environ.items() if k not in hidden} | extra


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have a display")
@pytest.mark.parametrize(
    "display",
    [
        {},
        {"DISPLAY": ":987"},
        {"WAYLAND_DISPLAY": "no-such", "XDG_RUNTIME_DIR": "/no/such"},
        {"QT_QPA_PLATFORM": "no-such"},
    ],
    ids=["none", "dead", "dead wayland", "no such plugin"],
)
def test_without_a_display_one_line_has_the_cure(
    photo: Path, display: dict[str, str]
) -> None:
    """Also where Qt would abort."""
    for argv in ([], [photo]):
        done = subprocess.run(
            [*SUBPROCESS, *argv],
            env=without_display(**display),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert "zim-studio matte PHOTO --point X,Y -o OUT.png" in done.stderr


def test_commands_need_neither_qt_nor_torch_to_start(photo: Path) -> None:
    script = (
        "import sys\n"
        "from zim_app.__main__ import main\n"
        "code = main(['matte', sys.argv[1], '--point', '99,99'])\n"
        "assert code == 1\n"
        "assert not {'PySide6', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, photo],
        env=without_display(),
        check=True,
        stderr=subprocess.DEVNULL,
    )


def test_bundled_model_cuts_a_sample_out(tmp_path: Path) -> None:
    out = tmp_path / "cat.png"
    argv = ["--box", "120,20,400,290", "--point", "280,150", "-o", out, "--json"]
    done = subprocess.run(
        [*SUBPROCESS, "matte", asset_path("samples", "cat.jpg"), *argv],
        env=without_display(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert 0.05 < report["coverage"] < 0.9
    with Image.open(out) as image:
        assert image.mode == "RGBA"
        assert image.size == (report["width"], report["height"])
