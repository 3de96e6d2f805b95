"""Grey values beyond 8 bits of an open image, and how they are shown.

A *view* of them is a window of grey values and, in a volume, the slice.  It decides
what the screen and the models see; files are never changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zim_model.errors import MALFORMED, ZimError, msg
from zim_model.medical.window import GreyImage, Window


@dataclass(frozen=True, slots=True)
class GreyView:
    """How grey values are shown.

    Attributes:
        window: None for the file's own.
        slice: number from 0 of a volume's slice; None for the middle one.
    """

    window: Window | None = None
    slice: int | None = None

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values that :meth:`from_json` reads back exactly."""
        window = self.window
        return {
            "window": None if window is None else [window.level, window.width],
            "slice": self.slice,
        }

    @classmethod
    def from_json(cls, data: Any) -> GreyView | None:
        """Read the JSON form of :meth:`to_json`; None of None.

        Raises:
            ZimError: it is malformed.
        """
        if data is None:
            return None
        try:
            window, index = data["window"], data["slice"]
            if index is not None and (type(index) is not int or index < 0):
                raise ValueError(f"{index!r} is no slice")
            own = None if window is None else Window(*map(float, window))
            return cls(own, index)
        except MALFORMED as error:
            raise ZimError(
                msg("The view of grey values is malformed: {error}.", error=str(error))
            ) from error


@dataclass(frozen=True, slots=True, eq=False)
class Greys:
    """The grey values of an image.

    Attributes:
        values: (H, W), upright.
        view: what is shown; of a volume with the number of the slice.
        slices: of the file.
        is_photo: whether the file's own window is all of its range and exports keep its
            values, as of 16-bit photos; of others they get the window.
    """

    values: GreyImage
    view: GreyView = GreyView()
    slices: int = 1
    is_photo: bool = False

    @property
    def window(self) -> Window:
        """The window that is shown."""
        return self.view.window or self.own_window

    @property
    def own_window(self) -> Window:
        """The file's own."""
        full = Window.between(0, 65535)
        return full if self.is_photo else self.values.own_window
