"""The manifest of a data folder: licences and background labels of its files."""

from __future__ import annotations

import json
from pathlib import Path

from zim_model.errors import MALFORMED, ZimError

MANIFEST = "MANIFEST.json"


class Manifest:
    """The manifest of a data folder: licences and background labels of its files.

    Args:
        root: the training folder; the manifest is in it or in its parent, with paths
            relative to itself.

    Raises:
        ZimError: the manifest is damaged.
    """

    def __init__(self, root: Path) -> None:
        self.path: Path | None = None
        self._rows: dict[Path, dict[str, object]] = {}
        for folder in (root, root.parent):
            path = folder / MANIFEST
            if not path.is_file():
                continue
            try:
                rows = json.loads(path.read_text("utf-8"))["files"]
                self._rows = {folder / row["file"]: row for row in rows}
            except (OSError, *MALFORMED) as error:
                raise ZimError(
                    f"{path} is not a manifest ({error!r}).", "Copy it again."
                ) from error
            self.path = path
            return

    def row(self, path: Path) -> dict[str, object]:
        """What is known of a file; empty if it is not listed."""
        return self._rows.get(path, {})

    def is_open(self, image: Path) -> bool:
        """Return whether an image's licence allows any use of trained weights."""
        return self.row(image).get("weights") == "open"

    def background(self, image: Path) -> int | None:
        """Return the background label of an image's label map, None if it has none."""
        label = self.row(image).get("background_label")
        return label if isinstance(label, int) else None
