"""Tables of the view modes and of the backgrounds of cut-outs.

To add a view mode, add a :class:`ViewMode` to ``VIEW_MODES``; menus, tool bar, settings
and shortcuts follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from zim_app.gui.translatable import QT_TRANSLATE_NOOP

OverlayTarget = Literal["background", "objects"]
_Rgba = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ViewMode:
    """One way to show the mattes of the objects on screen.

    Its layers are drawn over the image, in the order of the attributes.

    Attributes:
        id: suffix of the action id, after ``view_``.
        text: its name, translated in the context "ViewMode".
        icon: name of a Material Design icon.
        tip: tool tip, translated likewise.
        colours: 0xAARRGGBB for each alpha 0 to 255 of the union of all objects.
        tints: whether it is drawn as the :class:`OverlayStyle` says.
        cut_out: whether the objects are shown over a background.
        outlined: whether a line is drawn where an object's alpha is one half.
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
    """One background of cut-outs.

    Attributes:
        id: suffix of the action id, after ``background_``.
        text: its name, translated in the context "ViewMode".
        colour: "#rrggbb" if it is a fixed colour.
    """

    id: str
    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """What the overlay tints, however many objects there are.

    Attributes:
        target: ``background`` tints what is in no object, in one colour; ``objects``
            tints each object in its own.
        colour: "#rrggbb" of the background's tint.
        strength: opacity of the tint, 0 to 1.
    """

    target: OverlayTarget = "background"
    colour: str = "#1c2e70"
    strength: float = 0.64

    @property
    def colours(self) -> tuple[int, ...]:
        """Colours by alpha of the background's tint; see :func:`blend`."""
        value = int(self.colour.removeprefix("#"), 16)
        rgb = (value >> 16, value >> 8 & 255, value & 255)
        return blend((*rgb, self.strength), (*rgb, 0.0))


def blend(background: _Rgba, subject: _Rgba) -> tuple[int, ...]:
    """Interpolate between two translucent colours, weighted by opacity.

    Args:
        background: for alpha 0; red, green and blue in 0..255, opacity in 0..1.
        subject: for alpha 255, likewise.

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
    """False colours of a matte's uncertainty, 4 alpha (1 - alpha).

    Certain pixels are dimmed, the background more than the object.  Lightness grows
    with uncertainty, so that colours differ without hue too.
    """
    alpha = np.arange(256) / 255
    uncertainty = 4 * alpha * (1 - alpha)
    stops = np.array(
        [
            (0.0, 8, 6, 22),
            (0.15, 66, 14, 110),
            (0.45, 188, 55, 84),
            (0.75, 245, 140, 26),
            (1.0, 252, 250, 170),
        ]
    )
    rgb = [np.interp(uncertainty, stops[:, 0], stops[:, i]) for i in (1, 2, 3)]
    sure = 0.82 - 0.37 * alpha
    opacity = sure + (1 - sure) * np.minimum(uncertainty / 0.3, 1)
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
        QT_TRANSLATE_NOOP("ViewMode", "Overlay: tint what is not selected, or is"),
        tints=True,
    ),
    ViewMode(
        "cutout",
        QT_TRANSLATE_NOOP("ViewMode", "Cut-out"),
        "checkerboard",
        QT_TRANSLATE_NOOP("ViewMode", "Cut-out: show the objects over a background"),
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
        QT_TRANSLATE_NOOP("ViewMode", "Photo"),
        "image-outline",
        QT_TRANSLATE_NOOP("ViewMode", "Photo: show the photo alone"),
    ),
)

BACKGROUNDS = (
    Background("checker", QT_TRANSLATE_NOOP("ViewMode", "Checker board")),
    Background("black", QT_TRANSLATE_NOOP("ViewMode", "Black"), "#000000"),
    Background("white", QT_TRANSLATE_NOOP("ViewMode", "White"), "#ffffff"),
    Background("colour", QT_TRANSLATE_NOOP("ViewMode", "Colour")),
    Background("picture", QT_TRANSLATE_NOOP("ViewMode", "Another image")),
)

_HINT = (0x2F, 0x8F, 0xFF)
HINT_MODES: dict[OverlayTarget, ViewMode] = {
    "background": ViewMode("hint", "", "", "", outlined=True),
    "objects": ViewMode("hint", "", "", "", blend((*_HINT, 0.0), (*_HINT, 0.55))),
}
"""View modes of the hover preview, not in menus: a tint has one meaning."""
