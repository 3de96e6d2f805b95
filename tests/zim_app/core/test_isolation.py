"""Helper processes: the same images and errors, and what is left after a crash."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from zim_app.core import isolation
from zim_app.core.images import load_image
from zim_app.core.isolation import Helpers
from zim_app.core.thumbnails import read_thumbnail
from zim_model.errors import ImageError


@pytest.fixture(scope="module")
def helpers() -> Iterator[Helpers]:
    pool = Helpers()
    yield pool
    pool.close()


@pytest.fixture
def isolated(helpers: Helpers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_helpers", helpers)


def pid(helpers: Helpers) -> int:
    return helpers.call("a", 30, os.getpid)


@pytest.mark.parametrize("kind", ["grey.jpg", "alpha.png", "p3.png"])
def test_images_are_the_same_as_without(
    tmp_path: Path,
    helpers: Helpers,
    monkeypatch: pytest.MonkeyPatch,
    p3_profile: bytes,
    kind: str,
) -> None:
    rng = np.random.default_rng(0)
    mode = {"grey.jpg": "L", "alpha.png": "RGBA", "p3.png": "RGB"}[kind]
    pixels = rng.integers(0, 256, (20, 30, 4), dtype=np.uint8)
    options = {"icc_profile": p3_profile} if kind == "p3.png" else {"dpi": (300, 300)}
    PIL.Image.fromarray(pixels).convert(mode).save(tmp_path / kind, **options)
    data = (tmp_path / kind).read_bytes()
    (tmp_path / kind).write_bytes(data[:-2] if mode == "L" else data)
    direct = load_image(tmp_path / kind)
    monkeypatch.setattr(isolation, "_helpers", helpers)
    found = load_image(tmp_path / kind)
    for field in fields(direct):
        one, other = getattr(direct, field.name), getattr(found, field.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
            assert not other.flags.writeable
        else:
            assert str(one) == str(other)
    assert (found.source is found.rgb) == (direct.source is direct.rgb)
    small = read_thumbnail(tmp_path / kind, 10)
    assert max(small.shape) == 10


@pytest.mark.usefixtures("isolated")
def test_errors_keep_their_class_and_their_template(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"a\.png is not a photo") as caught:
        load_image(tmp_path / "a.png")
    assert caught.value.message.template.startswith("{name} is not")  # type: ignore[attr-defined]
    with pytest.raises(ImageError, match=r"gone\.png cannot be read"):
        load_image(tmp_path / "gone.png")


def test_a_helper_stays_for_the_next_file(helpers: Helpers) -> None:
    assert pid(helpers) == pid(helpers) != os.getpid()


def test_a_crash_is_an_error_of_one_file(helpers: Helpers) -> None:
    for crash in (
        os.abort,
        partial(os._exit, 0),
        partial(signal.raise_signal, signal.SIGSEGV),
    ):
        with pytest.raises(
            ImageError, match=r"bad\.png is damaged: it made its decoder"
        ):
            helpers.call("bad.png", 30, crash)
        assert pid(helpers)


def test_a_hang_is_ended(helpers: Helpers) -> None:
    started = time.monotonic()
    with pytest.raises(ImageError, match=r"slow\.png took longer than 1 s"):
        helpers.call("slow.png", 1.0, time.sleep, 60)
    assert time.monotonic() - started < 20
    assert pid(helpers)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="has no such limit")
def test_memory_has_a_limit(helpers: Helpers) -> None:
    with pytest.raises(MemoryError):
        helpers.call("a", 30, np.empty, 100 << 30, np.uint8)
    assert pid(helpers)


def test_threads_have_a_helper_each() -> None:
    pool = Helpers()
    work = partial(pool.call, "a", 30, time.sleep, 0.5)
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pool.pool._idle) == 2
    pool.close()


def test_what_libraries_print_is_no_answer(helpers: Helpers) -> None:
    assert helpers.call("a", 30, os.write, 1, b"x" * 100) == 100
    assert pid(helpers)


@pytest.mark.skipif(os.name == "nt", reason="lists processes of POSIX")
@pytest.mark.parametrize("call", ["time.sleep, 60", "re.fullmatch, '(a+)+b', 'a' * 60"])
def test_helpers_end_with_their_parent_in_the_midst_of_a_file(call: str) -> None:
    """Also where native code holds Python's lock: then by their own limit of time."""
    code = (
        "import os, re, time\n"
        "from zim_app.core.isolation import Helpers\n"
        "helpers = Helpers()\n"
        "print(helpers.call('a', 30, os.getpid), flush=True)\n"
        f"helpers.call('a', 1.0, {call})\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        helper = int(parent.stdout.readline())
        time.sleep(0.3)
        parent.kill()
    assert has_ended(helper)


def has_ended(process: int) -> bool:
    """Whether a process ends within a short time."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, 0)
            time.sleep(0.05)
            continue
        return True
    return False


@pytest.mark.skipif(os.name == "nt", reason="lists processes of POSIX")
def test_helpers_end_with_their_parent_and_not_with_ctrl_c() -> None:
    code = (
        "import os, time\n"
        "from zim_app.core.isolation import Helpers\n"
        "helpers = Helpers()\n"
        "print(helpers.call('a', 30, os.getpid), flush=True)\n"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        helper = int(parent.stdout.readline())
        os.kill(helper, signal.SIGINT)
        time.sleep(0.2)
        os.kill(helper, 0)  # still there
        parent.kill()
    assert has_ended(helper)


def test_without_isolation_functions_are_called_directly() -> None:
    assert isolation.run(Path("a"), os.getpid) == os.getpid()
