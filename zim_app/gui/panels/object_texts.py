"""Texts about an object and its prompts, for tool tips and screen readers."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from zim_app.gui.document import DocumentState
from zim_app.gui.translatable import QT_TRANSLATE_NOOP
from zim_model.recipe import Recipe, SceneObject

_COUNTED = (
    (
        QT_TRANSLATE_NOOP("Objects", "a point"),
        QT_TRANSLATE_NOOP("Objects", "{} points"),
    ),
    (
        QT_TRANSLATE_NOOP("Objects", "a scribble"),
        QT_TRANSLATE_NOOP("Objects", "{} scribbles"),
    ),
    (
        QT_TRANSLATE_NOOP("Objects", "a lasso"),
        QT_TRANSLATE_NOOP("Objects", "{} lassos"),
    ),
    (QT_TRANSLATE_NOOP("Objects", "a box"), QT_TRANSLATE_NOOP("Objects", "{} boxes")),
    (
        QT_TRANSLATE_NOOP("Objects", "an imported mask"),
        QT_TRANSLATE_NOOP("Objects", "{} imported masks"),
    ),
    (
        QT_TRANSLATE_NOOP("Objects", "a brush stroke"),
        QT_TRANSLATE_NOOP("Objects", "{} brush strokes"),
    ),
)
"""One and several of what :func:`_counts` counts."""


def tr(text: str) -> str:
    """Translate a text of the context "Objects"."""
    return QCoreApplication.translate("Objects", text)


def object_name(scene_object: SceneObject) -> str:
    """The object's name, or a name with its number where it has none."""
    return scene_object.name or tr(QT_TRANSLATE_NOOP("Objects", "Object {}")).format(
        scene_object.id
    )


def _counts(recipe: Recipe) -> tuple[int, ...]:
    """Points, scribbles, lassos, boxes, imported masks and strokes of a recipe."""
    sets = (recipe.prompts, *recipe.more_prompt_sets)
    regions = [s.region for prompts in sets for s in prompts.scribbles]
    return (
        sum(len(prompts.points) for prompts in sets),
        regions.count(False),
        regions.count(True),
        sum(prompts.box is not None for prompts in sets),
        len(recipe.masks),
        len(recipe.finish.strokes),
    )


def prompt_summary(recipe: Recipe) -> str:
    """What a recipe consists of, such as "3 points and a box"; "empty" of nothing."""
    pairs = zip(_COUNTED, _counts(recipe), strict=True)
    parts = [tr(texts[n > 1]).format(n) for texts, n in pairs if n]
    if not parts:
        return tr(QT_TRANSLATE_NOOP("Objects", "empty"))
    if len(parts) == 1:
        return parts[0]
    both = tr(QT_TRANSLATE_NOOP("Objects", "{} and {}"))
    return both.format(", ".join(parts[:-1]), parts[-1])


def object_summary(state: DocumentState, index: int) -> str:
    """Name, visibility, matte and prompts of an object of a document."""
    scene_object = state.objects[index]
    words = [object_name(scene_object)]
    if state.solo == scene_object.id:
        words.append(tr(QT_TRANSLATE_NOOP("Objects", "the only one shown")))
    elif state.is_shown(index):
        words.append(tr(QT_TRANSLATE_NOOP("Objects", "visible")))
    else:
        words.append(tr(QT_TRANSLATE_NOOP("Objects", "hidden")))
    if scene_object.id in state.unsolved:
        words.append(tr(QT_TRANSLATE_NOOP("Objects", "matte not ready")))
    elif state.mattes[index] is not None:
        words.append(tr(QT_TRANSLATE_NOOP("Objects", "has a matte")))
    words.append(prompt_summary(scene_object.recipe))
    return ", ".join(words)
