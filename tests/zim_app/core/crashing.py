"""A reader of images that crashes; helper processes import it quickly."""

from __future__ import annotations

import os
from pathlib import Path

from zim_app.core import images


def load_or_crash(path: Path) -> images.Image:
    """In place of a decoder that crashes on files of one name."""
    return os.abort() if path.stem == "bad" else images._load(path)
