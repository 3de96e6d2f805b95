"""The table of tools.

To add a tool, write a gesture as in :mod:`zim_app.gui.tools.gestures`, and add a
:class:`Tool` here.  Tool bar, menu, shortcut and cheat sheet follow.
"""

from __future__ import annotations

from zim_app.gui.tools.brush import BrushGesture
from zim_app.gui.tools.colour_key import ColourKeyGesture
from zim_app.gui.tools.gestures import Gesture, PointerPress, PromptGesture, Tool
from zim_app.gui.tools.scribble import LassoGesture, ScribbleGesture
from zim_app.gui.translatable import QT_TRANSLATE_NOOP


def _no_gesture(press: PointerPress) -> Gesture | None:
    return None


TOOLS = (
    Tool(
        "prompt",
        QT_TRANSLATE_NOOP("Tool", "Point and box"),
        "V",
        "cursor-default-click-outline",
        QT_TRANSLATE_NOOP(
            "Tool",
            "Click what belongs to the object, right-click what does not, "
            "or drag a box around it",
        ),
        PromptGesture.begin,
    ),
    Tool(
        "scribble",
        QT_TRANSLATE_NOOP("Tool", "Scribble"),
        "S",
        "draw",
        QT_TRANSLATE_NOOP(
            "Tool",
            "Draw a line over what belongs to the object, "
            "with the right button over what does not",
        ),
        ScribbleGesture.begin,
    ),
    Tool(
        "lasso",
        QT_TRANSLATE_NOOP("Tool", "Lasso"),
        "K",
        "lasso",
        QT_TRANSLATE_NOOP(
            "Tool",
            "Draw a loop around the object, "
            "with the right button around what is not part of it",
        ),
        LassoGesture.begin,
    ),
    Tool(
        "brush",
        QT_TRANSLATE_NOOP("Tool", "Brush"),
        "B",
        "brush",
        QT_TRANSLATE_NOOP(
            "Tool",
            "Paint alpha itself; the right button does the opposite, "
            "Shift + click draws a straight line",
        ),
        BrushGesture.begin,
        drags_prompts=False,
        paints=True,
        engine_previews=lambda options: options.brush == "refine",
    ),
    Tool(
        "colour_key",
        QT_TRANSLATE_NOOP("Tool", "Remove colour"),
        "I",
        "eyedropper",
        QT_TRANSLATE_NOOP(
            "Tool",
            "Click a colour that shall be transparent, as a green screen; drag away to "
            "remove more, right-click to restore",
        ),
        ColourKeyGesture.begin,
        drags_prompts=False,
        engine_previews=lambda options: True,
    ),
    Tool(
        "hand",
        QT_TRANSLATE_NOOP("Tool", "Hand"),
        "Shift+H",
        "hand-back-right-outline",
        QT_TRANSLATE_NOOP("Tool", "Drag the photo"),
        _no_gesture,
        drags_prompts=False,
        pans=True,
    ),
)
"""All tools; the first is the initial one."""
