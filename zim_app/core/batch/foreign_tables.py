"""Annotation files of other programs, recognised so that they are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zim_model.errors import ZimError, msg


def _has_lists(data: Any, *keys: str) -> bool:
    return isinstance(data, dict) and all(
        isinstance(data.get(key), list) for key in keys
    )


def _is_list_with(data: Any, *keys: str) -> bool:
    """Whether data is a list of objects of which the first has all these keys."""
    first = data[0] if isinstance(data, list) and data else None
    return isinstance(first, dict) and all(key in first for key in keys)


def _is_sa1b(data: Any) -> bool:
    return _has_lists(data, "annotations") and isinstance(data.get("image"), dict)


def _is_via(data: Any) -> bool:
    if isinstance(data, dict) and "_via_img_metadata" in data:
        return True
    values = list(data.values()) if isinstance(data, dict) else []
    return _is_list_with(values, "filename", "regions")


def _is_geojson(data: Any) -> bool:
    kind = data.get("type") if isinstance(data, dict) else None
    return kind in ("FeatureCollection", "Feature")


def _is_recipe(data: Any) -> bool:
    return isinstance(data, dict) and "version" in data and "prompts" in data


_RECOGNISED: tuple[tuple[str, Callable[[Any], bool]], ...] = (
    (msg("annotations of labelme"), lambda data: _has_lists(data, "shapes")),
    (msg("annotations in the format of SA-1B (SAM)"), _is_sa1b),
    (
        msg("annotations in the format of COCO"),
        lambda data: _has_lists(data, "annotations"),
    ),
    (
        msg("masks of SAM's automatic mask generator"),
        lambda data: _is_list_with(data, "segmentation", "bbox"),
    ),
    (
        msg("results in the format of COCO"),
        lambda data: _is_list_with(data, "image_id", "category_id"),
    ),
    (
        msg("annotations of Label Studio"),
        lambda data: _is_list_with(data, "annotations", "data"),
    ),
    (msg("annotations of the VGG Image Annotator"), _is_via),
    (msg("GeoJSON"), _is_geojson),
    (msg("the recipe of one object"), _is_recipe),
)
"""Names, and the tests that recognise parsed JSON of that kind; the first counts."""


def refuse_foreign_table(name: str, data: Any) -> None:
    """Check that parsed JSON is of no known kind other than a file of prompts.

    Args:
        name: of the file, in the message.
        data: the parsed JSON.

    Raises:
        ZimError: it is; the message names the kind.
    """
    for kind, is_of_kind in _RECOGNISED:
        if is_of_kind(data):
            raise ZimError(
                msg(
                    "{name} holds {kind}, which is no file of prompts.",
                    name=name,
                    kind=kind,
                ),
                msg(
                    'Write its boxes as [{{"image": NAME, "objects": [{{"box": [left, '
                    "top, right, bottom]}}]}}], in pixels."
                ),
            )
