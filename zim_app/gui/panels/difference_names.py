"""Words for what differs between objects, for the dialog before they are merged."""

from __future__ import annotations

from zim_app.gui.translatable import QT_TRANSLATE_NOOP

DIFFERENCE_NAMES = {
    "model": QT_TRANSLATE_NOOP("Objects", "the model"),
    "candidate": QT_TRANSLATE_NOOP("Objects", "the candidate"),
    "upsampling": QT_TRANSLATE_NOOP("Objects", "the upsampling"),
    "mirrored": QT_TRANSLATE_NOOP("Objects", "the mirrored second prediction"),
    "edge": QT_TRANSLATE_NOOP("Objects", "the refinement"),
    "mask_prompts": QT_TRANSLATE_NOOP("Objects", "the prompts on imported masks"),
}
"""By what :func:`zim_app.core.scene.differences` returns."""
