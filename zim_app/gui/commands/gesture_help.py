"""Mouse gestures and fixed keys of the canvas, as one table for the cheat sheet."""

from __future__ import annotations

from dataclasses import dataclass

from zim_app.gui.translatable import QT_TRANSLATE_NOOP


@dataclass(frozen=True, slots=True)
class GestureSpec:
    """A gesture or key of the canvas, which cannot be changed.

    Attributes:
        how: the mouse or key gesture, translated in the context "Gestures".
        text: its effect, translated in the same context.
        keys: portable names of its keys, which no action may have.
    """

    how: str
    text: str
    keys: tuple[str, ...] = ()


GESTURES = (
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Left click"),
        QT_TRANSLATE_NOOP("Gestures", "This belongs to the object"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Right click, Alt + left click"),
        QT_TRANSLATE_NOOP("Gestures", "This does not belong to it"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Left drag"),
        QT_TRANSLATE_NOOP("Gestures", "Draw a box around the object"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Drag a point or a side or corner of the box"),
        QT_TRANSLATE_NOOP("Gestures", "Move the point, resize the box"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Shift + drag a side of the box"),
        QT_TRANSLATE_NOOP("Gestures", "Move the box"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Ctrl + left click"),
        QT_TRANSLATE_NOOP("Gestures", "Select the object under the pointer"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Left drag with the scribble"),
        QT_TRANSLATE_NOOP("Gestures", "All along the line belongs to the object"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Right drag, Alt + drag with the scribble"),
        QT_TRANSLATE_NOOP("Gestures", "Nothing along the line belongs to it"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Left drag with the lasso"),
        QT_TRANSLATE_NOOP("Gestures", "The object is inside the loop"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Right drag, Alt + drag with the lasso"),
        QT_TRANSLATE_NOOP("Gestures", "Nothing inside the loop belongs to it"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Right drag, Alt + drag with the brush"),
        QT_TRANSLATE_NOOP("Gestures", "Erase while adding, add while erasing"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Shift + click with the brush"),
        QT_TRANSLATE_NOOP("Gestures", "Straight line from the last stroke's end"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Ctrl + wheel with the brush"),
        QT_TRANSLATE_NOOP("Gestures", "Change the size of the brush"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Arrow keys, with Shift farther"),
        QT_TRANSLATE_NOOP("Gestures", "Move the keyboard's cursor or selected prompt"),
        ("Left", "Right", "Up", "Down"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Enter"),
        QT_TRANSLATE_NOOP("Gestures", "Click at the keyboard's cursor"),
        ("Return", "Enter"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "N, Ctrl + Enter"),
        QT_TRANSLATE_NOOP("Gestures", "Right-click at the keyboard's cursor"),
        ("N", "Ctrl+Return"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Shift + Enter, twice"),
        QT_TRANSLATE_NOOP("Gestures", "Box between two places of the cursor"),
        ("Shift+Return",),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Tab, Shift + Tab"),
        QT_TRANSLATE_NOOP("Gestures", "Select the next prompt, the one before"),
        ("Tab", "Shift+Tab"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Arrow keys, P among found objects"),
        QT_TRANSLATE_NOOP(
            "Gestures", "Highlight the next one; pick it, with Shift merge it"
        ),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Shift + drop a file"),
        QT_TRANSLATE_NOOP("Gestures", "Import it as a mask of the photo"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Wheel, pinch"),
        QT_TRANSLATE_NOOP("Gestures", "Zoom at the pointer"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Two fingers on a touch screen"),
        QT_TRANSLATE_NOOP("Gestures", "Zoom and pan; one finger clicks and drags"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Middle drag, Space + drag"),
        QT_TRANSLATE_NOOP("Gestures", "Pan"),
        ("Space",),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Hold \\ or #"),
        QT_TRANSLATE_NOOP("Gestures", "Show the photo"),
        ("\\", "#"),
    ),
    GestureSpec(
        QT_TRANSLATE_NOOP("Gestures", "Alt + wheel"),
        QT_TRANSLATE_NOOP(
            "Gestures",
            "Magnify in the loupe; among found objects, the next larger or smaller one",
        ),
    ),
)
"""Mouse gestures and fixed keys of the canvas."""
