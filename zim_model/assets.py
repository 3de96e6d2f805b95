"""Paths of the files that come with the package: models, samples, icons."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def asset_path(*parts: str) -> Path:
    """Path of a bundled file, for example ``asset_path("samples", "cat.jpg")``.

    An installed wheel has the assets inside this package, a source tree beside it.  The
    file need not exist.
    """
    inside = _PACKAGE / "assets"
    root = inside if inside.is_dir() else _PACKAGE.parent / "assets"
    return root.joinpath(*parts)


CONVERTER_PREFIX = "converter"
"""Bundled weights whose name begins with this are label converters, which take no
prompts; all others are models."""


def bundled_weights(*, converters: bool = False) -> list[Path]:
    """The weight files that come with the package: of models, or of converters."""
    found = asset_path("models").glob("*.safetensors")
    paths = sorted(found, key=lambda path: path.stem)
    return [p for p in paths if p.stem.startswith(CONVERTER_PREFIX) is converters]
