"""How a command is described, and the commands of the tools."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from zim_app.gui.tools.toolbox import TOOLS
from zim_app.gui.translatable import QT_TRANSLATE_NOOP


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """Description of one command, from which its action is made.

    Attributes:
        id: its name in menus, handlers and stored keys.
        text: in menus, translated in ``context``.
        keys: default shortcuts; the first is shown.
        icon: a Material Design name, see :mod:`zim_app.gui.icons`.
        short: text on the tool bar in place of the icon.
        tip: explanation, if the text is not enough.
        always: whether it is enabled without an open image.
        checkable: whether it is on or off.
        choice: name of a group of exclusive checkable actions.
        context: translation context of the texts.
    """

    id: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    short: str = ""
    always: bool = False
    checkable: bool = False
    choice: str = ""
    context: str = "Actions"

    @property
    def label(self) -> str:
        """The translated text without its mnemonic and the ellipsis."""
        text = QCoreApplication.translate(self.context, self.text)
        return text.replace("&", "").removesuffix("…")


CHOICES = tuple(
    ActionSpec(
        f"tool_{tool.id}",
        tool.text,
        (tool.key,),
        tool.icon,
        tool.tip,
        choice="tool",
        context="Tool",
    )
    for tool in TOOLS
)
TOOL_IDS = tuple(spec.id for spec in CHOICES)

CANDIDATE_ACTIONS = (
    ActionSpec("candidate_1", QT_TRANSLATE_NOOP("Actions", "Candidate &1"), ("1",)),
    ActionSpec("candidate_2", QT_TRANSLATE_NOOP("Actions", "Candidate &2"), ("2",)),
    ActionSpec("candidate_3", QT_TRANSLATE_NOOP("Actions", "Candidate &3"), ("3",)),
    ActionSpec("candidate_4", QT_TRANSLATE_NOOP("Actions", "Candidate &4"), ("4",)),
)
CANDIDATE_IDS = tuple(spec.id for spec in CANDIDATE_ACTIONS)

TOOL_ACTIONS = (
    *CHOICES,
    *CANDIDATE_ACTIONS,
    ActionSpec(
        "compare_candidates",
        QT_TRANSLATE_NOOP("Actions", "&Compare candidates"),
        ("O",),
        tip=QT_TRANSLATE_NOOP(
            "Actions", "Show the chosen candidate and another one in two colours"
        ),
        checkable=True,
    ),
    ActionSpec(
        "hover_preview",
        QT_TRANSLATE_NOOP("Actions", "&Preview at the pointer"),
        ("P",),
        tip=QT_TRANSLATE_NOOP("Actions", "Show what a click at the pointer would give"),
        checkable=True,
    ),
    ActionSpec(
        "brush_smaller",
        QT_TRANSLATE_NOOP("Actions", "S&maller brush"),
        ("[",),
        tip=QT_TRANSLATE_NOOP("Actions", "Make the brush smaller"),
    ),
    ActionSpec(
        "brush_larger",
        QT_TRANSLATE_NOOP("Actions", "&Larger brush"),
        ("]",),
        tip=QT_TRANSLATE_NOOP("Actions", "Make the brush larger"),
    ),
    ActionSpec(
        "brush_softer",
        QT_TRANSLATE_NOOP("Actions", "S&ofter brush"),
        ("Shift+[",),
        tip=QT_TRANSLATE_NOOP("Actions", "Give the brush a softer edge"),
    ),
    ActionSpec(
        "brush_harder",
        QT_TRANSLATE_NOOP("Actions", "Ha&rder brush"),
        ("Shift+]",),
        tip=QT_TRANSLATE_NOOP("Actions", "Give the brush a harder edge"),
    ),
)
"""Commands of tools, candidates, the preview and the brush."""
