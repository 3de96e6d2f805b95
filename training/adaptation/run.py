"""An adaptation, from the folders of corrections to the file of the new model."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from training.adaptation.blending import SHARES, blend, choose_share
from training.adaptation.pairs import CorrectedPairs, check_pairs, split_pairs
from training.adaptation.sheet import write_comparison
from training.adaptation.tuning import State, Tuned, Tuning, adaptation_settings
from training.validation import Scores, mean_scores
from zim_app.core.adaptation import Adapted, Event, Prepared, Validated
from zim_app.core.corrections import find_corrections, save_project_pairs
from zim_app.core.training_pairs import FOLDER
from zim_model.errors import ZimError
from zim_model.inference.engine import Engine
from zim_model.network.tiny import ZimTiny
from zim_model.runtime.atomic_files import check_absent, explained_write
from zim_model.weights.adapted import ADAPTATION_KEY, Adaptation
from zim_model.weights.catalogue import locate
from zim_model.weights.checkpoint import load_model, save_model
from zim_model.weights.installed import sha256

PROMPTS = ("iou_1", "iou_3", "iou_box")
"""Scores that a result is chosen by."""
Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class AdaptationOptions:
    """What to adapt to what.

    Attributes:
        folders: of training pairs and projects.
        model: name or weight file of a zim-tiny.
        out: new weight file; the sheet of the same name is written beside.
        minutes: of training at most.
        settings: of the training that replace the usual ones.
    """

    folders: tuple[Path, ...]
    model: str
    out: Path
    minutes: float
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sheet(self) -> Path:
        """Path of the sheet of held-out images before and after."""
        return self.out.with_suffix(".png")


def adapt_model(
    options: AdaptationOptions,
    scratch: Path,
    tell: Tell,
    should_stop: Callable[[], bool],
) -> Adapted:
    """Adapt a model; write the result and its sheet.

    Args:
        scratch: a folder for mattes of projects, which must last until the end.
        tell: gets the events on the way.
        should_stop: polled between steps; the result then is of what was learned.

    Returns:
        The last event.

    Raises:
        ZimError: the model is no zim-tiny, there are too few usable corrections, or a
            file exists already or cannot be written.
    """
    _check_target(options)
    parent = _load_parent(options.model)
    config = adaptation_settings(parent, dict(options.settings))
    if config.threads:
        torch.set_num_threads(config.threads)
    found = _collect(options.folders, scratch)
    tuning = Tuning(parent, split_pairs(found), config, tell)
    images = len(found.images)
    held_out = tuning.held_out_images
    tell(Prepared(images - held_out, held_out, found.faults))
    before = tuning.score(parent, tuning.scenes)
    tell(Validated(0, mean_scores(before)["iou"]))
    tuned = tuning.run(options.minutes, should_stop)
    if tuned is None:
        return Adapted(0.0, mean_scores(before), mean_scores(before))
    share, state, after = _choose(tuning, parent, tuned, before)
    result = Adapted(share, mean_scores(before), mean_scores(after), steps=tuned.step)
    if share == 0:
        return result
    model = _with_state(parent, state)
    _save(options, model, found, {"config": asdict(config), "result": asdict(result)})
    with explained_write(options.sheet):
        write_comparison(parent, model, tuning.scenes, options.sheet)
    return replace(result, weights=str(options.out), sheet=str(options.sheet))


def _check_target(options: AdaptationOptions) -> None:
    """Make the folder of the result; check that no file would be replaced.

    Raises:
        ZimError: naming the one that exists, or the folder that cannot be made.
    """
    if options.out.suffix != ".safetensors":
        raise ZimError(
            f"{options.out} is no name of a weight file.",
            "Choose a name that ends with .safetensors.",
        )
    folder = options.out.parent
    with explained_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
    cure = "Choose another name; nothing is replaced."
    check_absent((options.out, options.sheet), cure)


def _load_parent(name: str) -> ZimTiny:
    parent = load_model(name)
    if not isinstance(parent, ZimTiny):
        raise ZimError(
            f"{name} is a {parent.config.name}, not of zim-tiny's architecture.",
            "Choose zim-tiny, or a model that was adapted from it.",
        )
    return parent


def _collect(folders: Sequence[Path], scratch: Path) -> CorrectedPairs:
    """The pairs of all folders, those of projects written into ``scratch``."""
    listed = [find_corrections(folder) for folder in folders]
    pairs = [pair for each in listed for pair in each.pairs]
    projects = [project for each in listed for project in each.projects]
    faults = [problem for each in listed for problem in each.problems]
    faults += [error.text for error in save_project_pairs(projects, scratch, Engine)]
    if (scratch / FOLDER).is_dir():
        pairs += find_corrections(scratch).pairs
    return check_pairs(folders[0], pairs, faults)


def _choose(
    tuning: Tuning, parent: ZimTiny, tuned: Tuned, before: list[Scores]
) -> tuple[float, State, list[Scores]]:
    """The share of the way to the tuned weights, its weights and its scores."""
    old = parent.state_dict()
    states = {share: blend(old, tuned.state, share) for share in SHARES}
    own: dict[float, list[Scores]] = {0.0: before}
    general = {0.0: _prompt_scores(tuning.score(parent, tuning.general))}
    for share in SHARES[1:]:
        model = _with_state(parent, states[share])
        own[share] = tuning.score(model, tuning.scenes)
        general[share] = _prompt_scores(tuning.score(model, tuning.general))
    chosen = choose_share(
        {share: _prompt_scores(rows) for share, rows in own.items()}, general
    )
    return chosen, states[chosen], own[chosen]


def _prompt_scores(rows: Sequence[Scores]) -> list[float]:
    return [row[name] for row in rows for name in PROMPTS]


def _with_state(parent: ZimTiny, state: State) -> ZimTiny:
    model = copy.deepcopy(parent)
    model.load_state_dict(state)
    return model.eval()


def _save(
    options: AdaptationOptions,
    model: ZimTiny,
    found: CorrectedPairs,
    details: dict[str, Any],
) -> None:
    """Write the weights; their metadata tell what they were made of."""
    file = locate(options.model)
    about = Adaptation.of_child(options.model, file, len(found.images))
    details |= {"parent_sha256": sha256(file), "data": found.digest}
    save_model(model, options.out, metadata={ADAPTATION_KEY: about.to_json(details)})
