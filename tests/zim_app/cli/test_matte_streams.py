"""``matte`` in a pipe, and of several photos."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zim_app.__main__ import main

BOX = "20,10,60,50"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A bright disc on a dark ground."""
    y, x = np.mgrid[:60, :80]
    disc = np.hypot(x - 40, y - 30) < 17
    pixels = np.where(disc[..., None], [230, 200, 60], [20, 40, 60]).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def expected(photo: Path) -> bytes:
    out = photo.with_name("expected.png")
    assert main(["matte", str(photo), "--box", BOX, "-o", str(out)]) == 0
    return out.read_bytes()


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_pipe_carries_the_same_file(photo, expected, monkeypatch, capfdbinary):
    pipe(monkeypatch, photo.read_bytes())
    capfdbinary.readouterr()
    assert main(["matte", "-", "--box", BOX, "--json"]) == 0
    written = capfdbinary.readouterr()
    assert written.out == expected
    report = json.loads(written.err)
    assert (report["image"], report["output"]) == ("-", "-")
    assert (report["width"], report["height"]) == (80, 60)


def test_a_stream_and_a_file(photo, expected, monkeypatch, capfdbinary, tmp_path):
    pipe(monkeypatch, photo.read_bytes())
    out = tmp_path / "out.png"
    assert main(["matte", "-", "--box", BOX, "-o", str(out)]) == 0
    assert out.read_bytes() == expected
    assert b"out.png: 80 x 60" in capfdbinary.readouterr().out
    assert main(["matte", str(photo), "--box", BOX, "-o", "-"]) == 0
    assert capfdbinary.readouterr().out == expected


def test_a_preset_says_what_the_stream_is(photo, monkeypatch, capfdbinary):
    pipe(monkeypatch, photo.read_bytes())
    assert main(["matte", "-", "--box", BOX, "--preset", "shop"]) == 0
    with Image.open(io.BytesIO(capfdbinary.readouterr().out)) as image:
        assert image.format == "JPEG"


def test_what_is_no_photo_writes_nothing(monkeypatch, capfdbinary):
    pipe(monkeypatch, b"no photo")
    assert main(["matte", "-", "--subject"]) == 1
    written = capfdbinary.readouterr()
    assert written.out == b""
    assert b"stdin is not a photo" in written.err


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_terminal_is_no_pipe(photo, monkeypatch, capsys, stream):
    terminal = io.TextIOWrapper(io.BytesIO(photo.read_bytes()))
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    pipe(monkeypatch, photo.read_bytes())
    monkeypatch.setattr(sys, stream, terminal)
    assert main(["matte", "-", "--subject"]) == 1
    assert "zim-studio: error: " in capsys.readouterr().err


def test_several_photos_and_one_that_is_broken(photo, tmp_path, capsys):
    other = tmp_path / "other" / "photo.png"
    other.parent.mkdir()
    other.write_bytes(photo.read_bytes())
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    out = tmp_path / "made" / "here"
    argv = ["matte", str(broken), str(photo), str(other), "-o", str(out), "--subject"]
    assert main(argv) == 1
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "broken.jpg is not a photo" in printed.err
    assert len(printed.out.splitlines()) == 2
    names = sorted(path.name for path in out.iterdir())
    assert names == ["photo-cutout-2.png", "photo-cutout.png"]
    with Image.open(out / names[0]) as image:
        assert image.getpixel((40, 30))[3] > 200
    assert main(argv[:1] + argv[2:]) == 0, "nothing is replaced"
    assert len(list(out.iterdir())) == 4


def test_several_photos_beside_themselves(photo, tmp_path, capsys):
    other = tmp_path / "other.png"
    other.write_bytes(photo.read_bytes())
    argv = ["matte", str(photo), str(other), "--box", BOX, "--json"]
    assert main(argv) == 0
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(x["output"]).name for x in reports] == [
        "photo-cutout.png",
        "other-cutout.png",
    ]
    assert main(argv) == 1
    assert capsys.readouterr().err.count("exists already") == 2


@pytest.mark.parametrize("extra", [["-"], ["x.png", "-o", "-"]])
def test_streams_hold_one_photo(photo, extra, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["matte", str(photo), *extra, "--subject"])
    assert ended.value.code == 2
    assert "one photo" in capsys.readouterr().err


def test_a_file_in_place_of_the_folder(photo, tmp_path, capsys):
    argv = ["matte", str(photo), str(photo), "--subject", "-o", str(photo)]
    assert main(argv) == 1
    assert "photo.png" in capsys.readouterr().err


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_a_closed_stream_is_an_error_of_ours(photo, monkeypatch, capsys, stream):
    if stream == "stdout":
        pipe(monkeypatch, photo.read_bytes())
    monkeypatch.setattr(sys, stream, None)
    assert main(["matte", "-", "--box", BOX]) == 1
    assert "standard" in capsys.readouterr().err


def test_closed_streams_do_not_stop_what_writes_files(photo, tmp_path):
    """Closed as by ``>&- 2>&-``; the result would be the first file to be opened."""
    out = tmp_path / "out.png"
    command = [sys.executable, "-m", "zim_app", "matte", photo, "--box", BOX, "-o", out]
    script = 'exec "$@" >&- 2>&-'
    ended = subprocess.run(["sh", "-c", script, "sh", *map(str, command)], timeout=60)
    assert ended.returncode == 0
    with Image.open(out) as image:
        assert image.size == (80, 60)


def test_messages_never_go_into_the_result(photo, expected, monkeypatch, capfdbinary):
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["matte", str(photo), "--box", BOX, "-o", "-"]) == 0
    assert capfdbinary.readouterr().out == expected


def test_progress_is_dropped_where_there_is_no_stream(photo, tmp_path, monkeypatch):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    out = tmp_path / "out"
    box = "0.1,0.1,0.9,0.9"
    assert main(["batch", str(photo.parent), "-o", str(out), "--box", box]) == 0
    assert (out / "photo-cutout.png").exists()
