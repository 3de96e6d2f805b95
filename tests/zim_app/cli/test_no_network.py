"""No command reaches for the network unless it was told to download."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

WATCHED = """
import sys

def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        family = getattr(args[0], "family", None)
        if event != "socket.connect" or int(family) != 1:  # AF_UNIX is this computer's
            sys.stderr.write(f"NETWORK {event} {args[1:]}\\n")

sys.addaudithook(watch)
from zim_app.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""A command that reports whatever it looks up or connects to."""


def watched(folder: Path, *arguments: str) -> str:
    environment = os.environ | {"ZIM_STUDIO_STATE": str(folder / "state")}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_hook_sees_a_look_up(tmp_path: Path) -> None:
    code = WATCHED.replace(
        "from zim_app.__main__ import main",
        "main = lambda _: __import__('socket').getaddrinfo('127.0.0.1', 80) and 0",
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "NETWORK socket.getaddrinfo" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("matte", "p.png", "--box", "10,10,50,50", "-o", "x.png"),
        ("batch", ".", "-o", "out", "--box", "0.1,0.1,0.9,0.9"),
        ("models", "list"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_opens_no_connection(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    pixels = np.full((64, 64, 3), 90, np.uint8)
    pixels[16:48, 16:48] = (30, 60, 200)
    assert cv2.imwrite(str(tmp_path / "p.png"), pixels)
    assert "NETWORK" not in watched(tmp_path, *arguments)
