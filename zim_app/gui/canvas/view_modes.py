"""The ways to look at a matte, and what can lie behind a cut-out, as tables.

To add a way: a :class:`ViewMode` in ``VIEW_MODES``; menus, tool bar, settings and keys
follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QT_TRANSLATE_NOOP

_Rgba = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ViewMode:
    """One way to look at the mattes of the visible objects.

    What it says is drawn over the picture, in the order of the attributes.

    Attributes:
        id: of the action that chooses it, after ``view_``.
        text: its name, to be translated in the context "ViewMode".
        icon: a Material Design name.
        tip: what it shows, likewise.
        colours: for each alpha 0 to 255 of all objects together, 0xAARRGGBB.
        tints: each of several objects in its own colour, all else dimmed in grey.
        cut_out: the objects alone, over a background.
        outlined: a line where an object's alpha is one half.
    """

    id: str
    text: str
    icon: str
    tip: str
    colours: tuple[int, ...] = ()
    tints: bool = False
    cut_out: bool = False
    outlined: bool = False


@dataclass(frozen=True, slots=True)
class Background:
    """One thing that can lie behind a cut-out.

    Attributes:
        id: of the action that chooses it, after ``background_``.
        text: its name, to be translated in the context "ViewMode".
        colour: "#rrggbb" where it always is the same one.
    """

    id: str
    text: str
    colour: str = ""


def blend(background: _Rgba, subject: _Rgba) -> tuple[int, ...]:
    """Colours that go from one translucent colour to another as alpha grows.

    They mix as light does, weighted by opacity.

    Args:
        background: red, green and blue in 0..255, opacity in 0..1.
        subject: likewise.

    Returns:
        256 colours, 0xAARRGGBB.
    """
    alpha = np.arange(256)[:, None] / 255
    ends = np.array([background, subject])
    opacity = ends[:, 3:]
    mixed = (1 - alpha) * (ends * opacity)[0] + alpha * (ends * opacity)[1]
    total = (1 - alpha) * opacity[0] + alpha * opacity[1]
    return _pack_rgba(mixed[:, :3] / np.maximum(total, 1e-9), total[:, 0])


def heat() -> tuple[int, ...]:
    """False colours for how unsure a matte is, 4 alpha (1 - alpha).

    What is sure is dimmed, the background more than the object.  Lightness grows with
    doubt, so that the colours can be told apart without seeing hues.
    """
    alpha = np.arange(256) / 255
    doubt = 4 * alpha * (1 - alpha)
    stops = np.array(
        [
            (0.0, 8, 6, 22),
            (0.15, 66, 14, 110),
            (0.45, 188, 55, 84),
            (0.75, 245, 140, 26),
            (1.0, 252, 250, 170),
        ]
    )
    rgb = [np.interp(doubt, stops[:, 0], stops[:, i]) for i in (1, 2, 3)]
    sure = 0.82 - 0.37 * alpha
    opacity = sure + (1 - sure) * np.minimum(doubt / 0.3, 1)
    return _pack_rgba(np.stack(rgb, axis=1), opacity)


def _pack_rgba(rgb: np.ndarray, opacity: np.ndarray) -> tuple[int, ...]:
    r, g, b = np.rint(rgb).astype(int).T
    a = np.rint(opacity * 255).astype(int)
    return tuple(((a << 24) | (r << 16) | (g << 8) | b).tolist())


VIEW_MODES = (
    ViewMode(
        "overlay",
        QT_TRANSLATE_NOOP("ViewMode", "Overlay"),
        "layers-outline",
        QT_TRANSLATE_NOOP("ViewMode", "Overlay: dim what is not selected"),
        colours=blend((0x1C, 0x2E, 0x70, 0.64), (0x1C, 0x2E, 0x70, 0.0)),
        tints=True,
    ),
    ViewMode(
        "cutout",
        QT_TRANSLATE_NOOP("ViewMode", "Cut-out"),
        "checkerboard",
        QT_TRANSLATE_NOOP(
            "ViewMode", "Cut-out: show what is selected over a background"
        ),
        cut_out=True,
    ),
    ViewMode(
        "matte",
        QT_TRANSLATE_NOOP("ViewMode", "Matte"),
        "circle-half-full",
        QT_TRANSLATE_NOOP("ViewMode", "Matte: show the opacity, white being opaque"),
        colours=tuple(0xFF000000 | value * 0x010101 for value in range(256)),
    ),
    ViewMode(
        "outline",
        QT_TRANSLATE_NOOP("ViewMode", "Outline"),
        "vector-polygon",
        QT_TRANSLATE_NOOP("ViewMode", "Outline: show where the opacity is one half"),
        outlined=True,
    ),
    ViewMode(
        "uncertainty",
        QT_TRANSLATE_NOOP("ViewMode", "Uncertainty"),
        "blur",
        QT_TRANSLATE_NOOP(
            "ViewMode", "Uncertainty: show where the matte is neither in nor out"
        ),
        colours=heat(),
    ),
    ViewMode(
        "picture",
        QT_TRANSLATE_NOOP("ViewMode", "Picture"),
        "image-outline",
        QT_TRANSLATE_NOOP("ViewMode", "Picture: show the photograph alone"),
    ),
)

BACKGROUNDS = (
    Background("checker", QT_TRANSLATE_NOOP("ViewMode", "Checker board")),
    Background("black", QT_TRANSLATE_NOOP("ViewMode", "Black"), "#000000"),
    Background("white", QT_TRANSLATE_NOOP("ViewMode", "White"), "#ffffff"),
    Background("colour", QT_TRANSLATE_NOOP("ViewMode", "Colour")),
    Background("picture", QT_TRANSLATE_NOOP("ViewMode", "Another picture")),
)

HINT_MODE = ViewMode(
    "hint",
    "",
    "",
    "",
    blend((0x2F, 0x8F, 0xFF, 0.0), (0x2F, 0x8F, 0xFF, 0.55)),
)
"""What a click would give; in no menu."""
