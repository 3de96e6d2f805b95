"""No command reaches for the network unless it was told to download."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

WATCHED = """
import json, sys

def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        family = getattr(args[0], "family", None)
        if event != "socket.connect" or int(family) != 1:  # AF_UNIX is this computer's
            sys.stderr.write(f"NETWORK {event} {args[1:]}\\n")

sys.addaudithook(watch)
from zim_app.__main__ import main
for command in json.loads(sys.argv[1]):
    sys.stderr.write(f"{command}\\n")
    if main(command):
        sys.exit(1)
"""
"""Commands, one after the other, that report whatever they look up or connect to."""


def test_the_hook_sees_a_look_up(tmp_path: Path) -> None:
    code = WATCHED.replace(
        "from zim_app.__main__ import main",
        "main = lambda _: __import__('socket').getaddrinfo('127.0.0.1', 80) and 0",
    )
    command = [sys.executable, "-c", code, json.dumps([["anything"]])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "NETWORK socket.getaddrinfo" in done.stderr


def test_commands_open_no_connection(tmp_path: Path) -> None:
    pixels = np.full((64, 64, 3), 90, np.uint8)
    pixels[16:48, 16:48] = (30, 60, 200)
    assert cv2.imwrite(str(tmp_path / "p.png"), pixels)
    commands = [
        ["matte", "p.png", "--box", "10,10,50,50", "-o", "x.png"],
        ["batch", ".", "-o", "out", "--box", "0.1,0.1,0.9,0.9"],
        ["models", "list"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, json.dumps(commands)],
        cwd=tmp_path,
        env=os.environ | {"ZIM_STUDIO_STATE": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.png").exists()
    assert "['models', 'list']" in done.stderr
    assert "NETWORK" not in done.stderr
