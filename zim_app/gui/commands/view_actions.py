"""The commands of view modes and backgrounds, and of what lies over the view."""

from __future__ import annotations

from zim_app.gui.canvas.view_modes import BACKGROUNDS, VIEW_MODES
from zim_app.gui.commands.action_spec import ActionSpec
from zim_app.gui.translatable import QT_TRANSLATE_NOOP

VIEW_ACTIONS = tuple(
    ActionSpec(
        f"view_{mode.id}",
        mode.text,
        icon=mode.icon,
        tip=mode.tip,
        checkable=True,
        choice="view",
        context="ViewMode",
    )
    for mode in VIEW_MODES
)
VIEWS = tuple(spec.id for spec in VIEW_ACTIONS)
BACKGROUND_ACTIONS = tuple(
    ActionSpec(
        f"background_{background.id}",
        background.text,
        checkable=True,
        choice="background",
        context="ViewMode",
    )
    for background in BACKGROUNDS
)

AID_ACTIONS = (
    ActionSpec(
        "wipe",
        QT_TRANSLATE_NOOP("Actions", "Before an&d after"),
        ("Y",),
        "compare",
        QT_TRANSLATE_NOOP(
            "Actions", "Show the photo left of a line, the view right of it"
        ),
        checkable=True,
    ),
    ActionSpec(
        "hide_prompts",
        QT_TRANSLATE_NOOP("Actions", "&Hide prompts"),
        ("H",),
        tip=QT_TRANSLATE_NOOP(
            "Actions", "Judge the edge without points, lines and boxes over it"
        ),
        checkable=True,
    ),
    ActionSpec(
        "loupe",
        QT_TRANSLATE_NOOP("Actions", "&Loupe"),
        ("L",),
        "magnify-scan",
        QT_TRANSLATE_NOOP(
            "Actions", "Magnify photo, matte and cut-out beside the pointer"
        ),
        checkable=True,
    ),
    ActionSpec(
        "navigator",
        QT_TRANSLATE_NOOP("Actions", "Na&vigator"),
        tip=QT_TRANSLATE_NOOP(
            "Actions", "Show a small overview while the photo is larger than the view"
        ),
        checkable=True,
        always=True,
    ),
)
"""Commands that show or hide the wipe, the prompts, the loupe and the navigator."""
