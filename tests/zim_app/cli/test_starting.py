"""Starting commands as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from zim_app.__main__ import main
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


@pytest.mark.parametrize(
    ("platform", "text", "cure"),
    [
        (
            "linux",
            "libEGL.so.1: cannot open shared object file: No such file or directory",
            "sudo apt-get install libegl1",
        ),
        (
            "win32",
            "DLL load failed while importing QtCore: The specified module could not be "
            "found.",
            "Visual C++ Redistributable",
        ),
        (
            "darwin",
            "dlopen(QtCore.abi3.so, 0x0002): Library not loaded: @rpath/QtCore",
            "--force-reinstall PySide6-Essentials",
        ),
    ],
)
def test_a_missing_library_of_qt_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, platform: str, text: str, cure: str
) -> None:
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "zim_app.gui.app":
                raise ImportError(text)

    monkeypatch.delitem(sys.modules, "zim_app.gui.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr("zim_app.__main__.sys.platform", platform)
    assert main([]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert text in error
    assert cure in error
