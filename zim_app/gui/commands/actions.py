"""Every command of the window as one table.

To add a command, add an :class:`ActionSpec` to ``ACTIONS``, its id to ``MENUS``, and a
handler where the window calls :func:`zim_app.gui.commands.menus.make_actions`.  The
shortcut page and the cheat sheet are made from the table.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from zim_app.gui.commands.action_spec import (
    CANDIDATE_IDS,
    TOOL_ACTIONS,
    TOOL_IDS,
    ActionSpec,
)
from zim_app.gui.commands.view_actions import (
    AID_ACTIONS,
    BACKGROUND_ACTIONS,
    VIEW_ACTIONS,
    VIEWS,
)
from zim_app.gui.translatable import QT_TRANSLATE_NOOP

ACTIONS = (
    ActionSpec(
        "open",
        QT_TRANSLATE_NOOP("Actions", "&Open…"),
        ("Ctrl+O",),
        "folder-open-outline",
        QT_TRANSLATE_NOOP("Actions", "Open a photo or a project"),
        always=True,
    ),
    ActionSpec(
        "open_folder",
        QT_TRANSLATE_NOOP("Actions", "Open &folder…"),
        ("Ctrl+Shift+O",),
        "folder-multiple-image",
        QT_TRANSLATE_NOOP("Actions", "Open a folder of photos, one after the other"),
        always=True,
    ),
    ActionSpec(
        "save_project",
        QT_TRANSLATE_NOOP("Actions", "&Save project"),
        ("Ctrl+S",),
        "content-save-outline",
        QT_TRANSLATE_NOOP("Actions", "Save the objects and prompts to go on later"),
    ),
    ActionSpec(
        "save_project_as",
        QT_TRANSLATE_NOOP("Actions", "Save project &as…"),
        ("Ctrl+Shift+S",),
        tip=QT_TRANSLATE_NOOP("Actions", "Save the objects and prompts in a new file"),
    ),
    ActionSpec(
        "previous_picture", QT_TRANSLATE_NOOP("Actions", "Pre&vious photo"), ("PgUp",)
    ),
    ActionSpec(
        "next_picture", QT_TRANSLATE_NOOP("Actions", "Nex&t photo"), ("PgDown",)
    ),
    ActionSpec(
        "strip",
        QT_TRANSLATE_NOOP("Actions", "Photos of the folde&r"),
        ("F7",),
        tip=QT_TRANSLATE_NOOP("Actions", "Show the folder's photos at the bottom"),
        always=True,
        checkable=True,
    ),
    ActionSpec(
        "paste",
        QT_TRANSLATE_NOOP("Actions", "&Paste photo"),
        ("Ctrl+V",),
        "content-paste",
        QT_TRANSLATE_NOOP("Actions", "Open the photo that another program copied"),
        always=True,
    ),
    ActionSpec(
        "export",
        QT_TRANSLATE_NOOP("Actions", "&Export…"),
        ("Ctrl+E",),
        "export-variant",
        QT_TRANSLATE_NOOP("Actions", "Save the cut-out, its matte, or layers"),
        QT_TRANSLATE_NOOP("Actions", "Export…"),
    ),
    ActionSpec(
        "quick_export",
        QT_TRANSLATE_NOOP("Actions", "E&xport again"),
        ("Ctrl+Shift+E",),
        "export",
        QT_TRANSLATE_NOOP("Actions", "Export as the last time, without a dialog"),
    ),
    ActionSpec(
        "batch",
        QT_TRANSLATE_NOOP("Actions", "&Batch…"),
        ("Ctrl+Shift+B",),
        "image-multiple-outline",
        QT_TRANSLATE_NOOP("Actions", "Cut objects out of many photos"),
        always=True,
    ),
    ActionSpec(
        "import_mask",
        QT_TRANSLATE_NOOP("Actions", "&Import mask…"),
        ("Ctrl+I",),
        "texture-box",
        QT_TRANSLATE_NOOP("Actions", "Make an object of a mask of this photo"),
    ),
    ActionSpec(
        "training_pair",
        QT_TRANSLATE_NOOP("Actions", "Save as trainin&g pair…"),
        ("Ctrl+Shift+T",),
        tip=QT_TRANSLATE_NOOP("Actions", "Save photo and matte for training"),
    ),
    ActionSpec(
        "copy_cutout",
        QT_TRANSLATE_NOOP("Actions", "Cop&y cut-out"),
        ("Ctrl+C",),
        "content-copy",
        QT_TRANSLATE_NOOP("Actions", "Copy the object with transparency"),
    ),
    ActionSpec(
        "copy_matte",
        QT_TRANSLATE_NOOP("Actions", "Copy &matte"),
        ("Ctrl+Shift+C",),
        tip=QT_TRANSLATE_NOOP("Actions", "Copy the object's alpha as a grey image"),
    ),
    ActionSpec("quit", QT_TRANSLATE_NOOP("Actions", "&Quit"), ("Ctrl+Q",), always=True),
    ActionSpec("undo", QT_TRANSLATE_NOOP("Actions", "&Undo"), ("Ctrl+Z",), "undo"),
    ActionSpec(
        "redo",
        QT_TRANSLATE_NOOP("Actions", "&Redo"),
        ("Ctrl+Shift+Z", "Ctrl+Y"),
        "redo",
    ),
    ActionSpec(
        "delete",
        QT_TRANSLATE_NOOP("Actions", "&Delete prompt"),
        ("Delete", "Backspace"),
        "map-marker-remove-outline",
        QT_TRANSLATE_NOOP(
            "Actions", "Delete the selected point, scribble, lasso or box"
        ),
    ),
    ActionSpec(
        "clear",
        QT_TRANSLATE_NOOP("Actions", "&Clear prompts"),
        ("Ctrl+Shift+Delete",),
        "broom",
        QT_TRANSLATE_NOOP(
            "Actions", "Delete all points, scribbles and lassos and the box"
        ),
    ),
    ActionSpec(
        "escape",
        QT_TRANSLATE_NOOP("Actions", "Dese&lect"),
        ("Escape",),
        tip=QT_TRANSLATE_NOOP("Actions", "Cancel the current drag, or select nothing"),
    ),
    ActionSpec(
        "select_subject",
        QT_TRANSLATE_NOOP("Actions", "Select sub&ject"),
        ("Ctrl+J",),
        "account-box-outline",
        QT_TRANSLATE_NOOP("Actions", "Select the main object of the photo"),
    ),
    ActionSpec(
        "everything",
        QT_TRANSLATE_NOOP("Actions", "&Find all objects"),
        ("Ctrl+Shift+F",),
        "creation-outline",
        QT_TRANSLATE_NOOP("Actions", "Find everything in the photo, and pick"),
        checkable=True,
    ),
    ActionSpec(
        "object_new",
        QT_TRANSLATE_NOOP("Actions", "&New object"),
        ("Ctrl+N",),
        "plus",
        QT_TRANSLATE_NOOP("Actions", "Begin another object"),
    ),
    ActionSpec(
        "object_duplicate",
        QT_TRANSLATE_NOOP("Actions", "&Duplicate object"),
        ("Ctrl+D",),
        "content-duplicate",
        QT_TRANSLATE_NOOP("Actions", "Copy the selected objects"),
    ),
    ActionSpec(
        "object_merge",
        QT_TRANSLATE_NOOP("Actions", "&Merge selected"),
        ("Ctrl+M",),
        "vector-union",
        QT_TRANSLATE_NOOP("Actions", "Make one object of the selected ones"),
    ),
    ActionSpec(
        "object_refine",
        QT_TRANSLATE_NOOP("Actions", "Refine with &the converter"),
        ("Ctrl+R",),
        "auto-fix",
        QT_TRANSLATE_NOOP("Actions", "Compute a new matte from this matte's outline"),
    ),
    ActionSpec(
        "erase",
        QT_TRANSLATE_NOOP("Actions", "Remo&ve object from photo…"),
        ("Ctrl+Shift+R",),
        "image-remove-outline",
        QT_TRANSLATE_NOOP("Actions", "Fill in what was behind the object"),
    ),
    ActionSpec(
        "object_delete",
        QT_TRANSLATE_NOOP("Actions", "De&lete object"),
        ("Ctrl+Delete", "Ctrl+Backspace"),
        "delete-outline",
        QT_TRANSLATE_NOOP("Actions", "Delete the selected objects"),
    ),
    ActionSpec(
        "object_rename", QT_TRANSLATE_NOOP("Actions", "&Rename object"), ("F2",)
    ),
    ActionSpec("object_colour", QT_TRANSLATE_NOOP("Actions", "&Colour of object…")),
    ActionSpec(
        "object_visible",
        QT_TRANSLATE_NOOP("Actions", "&Show or hide object"),
        ("Ctrl+H",),
    ),
    ActionSpec(
        "object_solo",
        QT_TRANSLATE_NOOP("Actions", "Show &only this object"),
        ("Ctrl+Shift+H",),
        tip=QT_TRANSLATE_NOOP(
            "Actions", "Show only the active object, or all visible ones again"
        ),
    ),
    ActionSpec(
        "object_raise",
        QT_TRANSLATE_NOOP("Actions", "Move object &up"),
        ("Ctrl+Shift+Up",),
    ),
    ActionSpec(
        "object_lower",
        QT_TRANSLATE_NOOP("Actions", "Move object do&wn"),
        ("Ctrl+Shift+Down",),
    ),
    ActionSpec(
        "object_above",
        QT_TRANSLATE_NOOP("Actions", "Object &above"),
        ("Ctrl+Up",),
        tip=QT_TRANSLATE_NOOP("Actions", "Go to the object above"),
    ),
    ActionSpec(
        "object_below",
        QT_TRANSLATE_NOOP("Actions", "Object &below"),
        ("Ctrl+Down",),
        tip=QT_TRANSLATE_NOOP("Actions", "Go to the object below"),
    ),
    ActionSpec(
        "stop",
        QT_TRANSLATE_NOOP("Actions", "S&top"),
        ("Ctrl+.",),
        "close-circle-outline",
        QT_TRANSLATE_NOOP("Actions", "Stop opening, encoding, matting or searching"),
        always=True,
    ),
    ActionSpec(
        "zoom_in",
        QT_TRANSLATE_NOOP("Actions", "Zoom &in"),
        ("Ctrl++", "Ctrl+=", "+", "="),
        "magnify-plus-outline",
    ),
    ActionSpec(
        "zoom_out",
        QT_TRANSLATE_NOOP("Actions", "Zoom &out"),
        ("Ctrl+-", "-"),
        "magnify-minus-outline",
    ),
    ActionSpec(
        "fit",
        QT_TRANSLATE_NOOP("Actions", "&Fit to window"),
        ("Ctrl+0",),
        "fit-to-page-outline",
    ),
    ActionSpec(
        "actual_size",
        QT_TRANSLATE_NOOP("Actions", "&Actual size"),
        ("Ctrl+1",),
        tip=QT_TRANSLATE_NOOP(
            "Actions", "One screen pixel for each pixel of the photo"
        ),
        short=QT_TRANSLATE_NOOP("Actions", "1:1"),
    ),
    *TOOL_ACTIONS,
    ActionSpec(
        "show_object",
        QT_TRANSLATE_NOOP("Actions", "Zoom to ob&ject"),
        ("Ctrl+2",),
        "image-filter-center-focus",
        QT_TRANSLATE_NOOP("Actions", "Show the active object as large as it fits"),
    ),
    *VIEW_ACTIONS,
    ActionSpec("next_view", QT_TRANSLATE_NOOP("Actions", "&Next view"), ("F",)),
    ActionSpec(
        "previous_view", QT_TRANSLATE_NOOP("Actions", "&Previous view"), ("Shift+F",)
    ),
    *BACKGROUND_ACTIONS,
    ActionSpec(
        "next_background",
        QT_TRANSLATE_NOOP("Actions", "&Next background"),
        ("Shift+B",),
    ),
    ActionSpec(
        "choose_colour",
        QT_TRANSLATE_NOOP("Actions", "Choose &colour…"),
        tip=QT_TRANSLATE_NOOP("Actions", "Choose the colour behind cut-outs"),
    ),
    ActionSpec(
        "choose_background",
        QT_TRANSLATE_NOOP("Actions", "Choose &image…"),
        tip=QT_TRANSLATE_NOOP("Actions", "Choose the background image"),
    ),
    *AID_ACTIONS,
    ActionSpec(
        "evaluate",
        QT_TRANSLATE_NOOP("Actions", "&Evaluate models…"),
        ("Ctrl+Shift+U",),
        "chart-bar",
        QT_TRANSLATE_NOOP("Actions", "Measure models on a data set"),
        always=True,
    ),
    ActionSpec(
        "adapt_model",
        QT_TRANSLATE_NOOP("Actions", "&Adapt model to my corrections…"),
        (),
        "school-outline",
        QT_TRANSLATE_NOOP("Actions", "Train a copy of the model on corrected photos"),
        always=True,
    ),
    ActionSpec(
        "models",
        QT_TRANSLATE_NOOP("Actions", "&Manage models…"),
        ("Ctrl+Shift+M",),
        "cube-outline",
        QT_TRANSLATE_NOOP("Actions", "Choose, download, add and remove models"),
        always=True,
    ),
    ActionSpec(
        "settings",
        QT_TRANSLATE_NOOP("Actions", "&Settings…"),
        ("Ctrl+,",),
        "cog-outline",
        QT_TRANSLATE_NOOP("Actions", "Choose theme, language, keys and more"),
        always=True,
    ),
    ActionSpec(
        "cheat_sheet",
        QT_TRANSLATE_NOOP("Actions", "&Keys and mouse"),
        ("?", "F1"),
        "keyboard-outline",
        QT_TRANSLATE_NOOP("Actions", "Show all keys and what the mouse does"),
        always=True,
    ),
    ActionSpec(
        "log_folder",
        QT_TRANSLATE_NOOP("Actions", "Open &log folder"),
        tip=QT_TRANSLATE_NOOP("Actions", "Show the log files of the program"),
        always=True,
    ),
    ActionSpec("about", QT_TRANSLATE_NOOP("Actions", "&About zim-studio"), always=True),
)
"""All commands."""

EXPORTS = (
    *("export", "quick_export", "copy_cutout", "copy_matte"),
    *("object_refine", "training_pair", "erase"),
)
"""Actions that need a matte."""

BY_ID = {spec.id: spec for spec in ACTIONS}

SEPARATOR, STRETCH = "-", "<>"
MENUS = (
    (
        QT_TRANSLATE_NOOP("Actions", "&File"),
        (
            *("open", "open_folder", "@samples", "@recent", SEPARATOR),
            *("import_mask", SEPARATOR),
            *("previous_picture", "next_picture", SEPARATOR),
            *("save_project", "save_project_as", SEPARATOR),
            *("export", "quick_export", "batch", "training_pair", SEPARATOR, "quit"),
        ),
    ),
    (
        QT_TRANSLATE_NOOP("Actions", "&Edit"),
        (
            *("undo", "redo", SEPARATOR),
            *("copy_cutout", "copy_matte", "paste", SEPARATOR),
            *("delete", "clear", "escape", "stop", SEPARATOR, "settings"),
        ),
    ),
    (
        QT_TRANSLATE_NOOP("Actions", "&Object"),
        (
            *("select_subject", "everything", SEPARATOR),
            *("object_new", "object_duplicate", "object_merge", "object_delete"),
            *("object_refine", "erase", SEPARATOR),
            *("object_rename", "object_colour", SEPARATOR),
            *("object_visible", "object_solo", SEPARATOR),
            *("object_raise", "object_lower", "object_above", "object_below"),
        ),
    ),
    (
        QT_TRANSLATE_NOOP("Actions", "&View"),
        (
            *("zoom_in", "zoom_out", "fit", "actual_size", "show_object", SEPARATOR),
            *VIEWS,
            *(SEPARATOR, "next_view", "previous_view", "@background", SEPARATOR),
            *("wipe", "loupe", "navigator", "hide_prompts", SEPARATOR),
            *("@panels", "strip"),
        ),
    ),
    (
        QT_TRANSLATE_NOOP("Actions", "&Tools"),
        (
            *(*TOOL_IDS, "hover_preview", SEPARATOR, *CANDIDATE_IDS),
            *("compare_candidates", SEPARATOR),
            *("brush_smaller", "brush_larger", "brush_softer", "brush_harder"),
            *(SEPARATOR, "evaluate", "adapt_model"),
        ),
    ),
    (
        QT_TRANSLATE_NOOP("Actions", "&Model"),
        ("@model", "@subject", "models", SEPARATOR, "@device", "@precision"),
    ),
    (
        QT_TRANSLATE_NOOP("Actions", "&Help"),
        ("cheat_sheet", "log_folder", SEPARATOR, "about"),
    ),
)
"""Titles and entries of the menus; "@name" is a submenu."""

BACKGROUND_MENU = (
    *(spec.id for spec in BACKGROUND_ACTIONS),
    *(SEPARATOR, "choose_colour", "choose_background", SEPARATOR, "next_background"),
)
"""Entries of the background submenu, also used by the button in the tool bar."""

SUBMENUS = {"@background": BACKGROUND_MENU}
"""Entries of the submenus that are made from the table."""

TOOL_BAR = (
    *("open", SEPARATOR, "undo", "redo", SEPARATOR, "delete", "clear", SEPARATOR),
    *("zoom_out", "zoom_in", "fit", "actual_size", "show_object", STRETCH, *VIEWS),
    *("@background", SEPARATOR, "wipe", "loupe", STRETCH, "export"),
)


def sections() -> list[tuple[str, tuple[str, ...]]]:
    """The menus' translated titles, and the ids of the actions in each."""
    return [
        (
            QCoreApplication.translate("Actions", title).replace("&", ""),
            tuple(entry for entry in _flatten(entries) if entry in BY_ID),
        )
        for title, entries in MENUS
    ]


def _flatten(entries: tuple[str, ...]) -> tuple[str, ...]:
    """Entries of a menu, with those of its submenus of the table inserted."""
    lists = [SUBMENUS.get(entry, (entry,)) for entry in entries]
    return tuple(entry for entries in lists for entry in entries)
