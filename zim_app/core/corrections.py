"""What a user has corrected, to adapt a model to: training pairs, and projects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zim_app.core.adaptation import MIN_IMAGES
from zim_app.core.images import load_image
from zim_app.core.project import find_image_file, read_project
from zim_app.core.saved_work import PROJECT_SUFFIX
from zim_app.core.training_pairs import FOLDER, save_pairs
from zim_model.errors import ImageError, ZimError, msg
from zim_model.evaluation.datasets import MATTE_MARK, pairs_beside
from zim_model.request import Request
from zim_model.runtime.atomic_files import read_error

if TYPE_CHECKING:
    from zim_model.inference.engine import Engine


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a folder holds to learn from.

    Attributes:
        pairs: images with their mattes.
        projects: project files.
        problems: sentences on images or mattes that are no pair.
    """

    pairs: tuple[tuple[Path, Path], ...] = ()
    projects: tuple[Path, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        """The number of images; projects may turn out to share some with pairs."""
        return len({image_name(matte) for _, matte in self.pairs}) + len(self.projects)


def image_name(matte: Path) -> str:
    """Name of the image that a pair belongs to, see :func:`save_pairs`."""
    return matte.name.partition(".")[0]


def find_corrections(folder: Path) -> Corrections:
    """The training pairs and projects of a folder; no file is opened.

    Pairs lie in it or in its folder ``matte``.

    Raises:
        ImageError: the folder cannot be read.
    """
    pairs: list[tuple[Path, Path]] = []
    problems: list[str] = []
    try:
        for place in (folder, folder / FOLDER):
            if place == folder or place.is_dir():
                found, incomplete = pairs_beside(place, MATTE_MARK)
                pairs += found
                # Where no pairs are, photos without mattes are those of projects.
                problems += incomplete if found else []
        projects = sorted(folder.glob(f"*{PROJECT_SUFFIX}"))
        if not folder.is_dir():
            raise NotADirectoryError(folder)
    except OSError as error:
        raise read_error(folder, error, ImageError) from error
    return Corrections(tuple(pairs), tuple(projects), tuple(problems))


def too_few_images(count: int, faults: Sequence[str]) -> ZimError:
    """The error that there are too few images to adapt a model to.

    Args:
        count: of the images that can be used.
        faults: sentences on those that cannot.
    """
    return ZimError(
        msg(
            "There are usable mattes of {count} photos; at least {least} are needed."
            "{faults}",
            count=count,
            least=MIN_IMAGES,
            faults="".join(f"\n{fault}" for fault in faults[:5]),
        ),
        msg("Correct further photos, and save each as a training pair."),
    )


def save_project_pairs(
    projects: Sequence[Path], root: Path, make_engine: Callable[[], Engine]
) -> Iterator[ZimError]:
    """Write a training pair for each visible object of projects.

    Args:
        projects: their files.
        root: a training folder, see :func:`~zim_app.core.training_pairs.save_pairs`.
        make_engine: gives the engine that makes the mattes.

    Yields:
        Errors of projects that are left out.
    """
    engine = make_engine() if projects else None
    for path in projects:
        assert engine is not None
        try:
            _save_project(path, root, engine)
        except ZimError as error:
            yield error


def _save_project(path: Path, root: Path, engine: Engine) -> None:
    project = read_project(path)
    file = find_image_file(path, project.reference)
    if file is None:
        raise ZimError(
            msg("The photo of {name} is not in its folder.", name=path.name),
            msg("Open the project, locate the photo, and save it again."),
        )
    image = load_image(file)
    if project.reference.match(image) != "same":
        raise ZimError(
            msg("The photo of {name} has been changed since.", name=path.name),
            msg("Open the project, correct its objects, and save it again."),
        )
    recipes = [
        entry.recipe
        for entry in project.stack.objects
        if entry.visible and entry.recipe.has_prompts
    ]
    mattes = [
        engine.solve(Request(image.rgb, image.key, recipe)).alpha for recipe in recipes
    ]
    save_pairs(image, [alpha for alpha in mattes if alpha.any()], root)
