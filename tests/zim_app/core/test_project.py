from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zim_model.test_recipe import OBJECTS
from zim_app.core.images import Image, load_image
from zim_app.core.project import (
    ImageReference,
    find_image_file,
    read_project,
    relative_path,
    write_project,
)
from zim_app.core.saved_work import ObjectStack
from zim_model.errors import ZimError
from zim_model.prompts import Point, PromptSet
from zim_model.recipe import Recipe, SceneObject

WORKS = st.lists(OBJECTS, min_size=1, max_size=4, unique_by=lambda o: o.id).flatmap(
    lambda objects: st.builds(
        ObjectStack, st.just(tuple(objects)), st.integers(0, len(objects) - 1)
    )
)
WORK = ObjectStack(
    (
        SceneObject(3, "dog", recipe=Recipe(PromptSet((Point(3, 4),)))),
        SceneObject(1, "lead", visible=False),
    ),
    1,
)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "a b.png"
    path.parent.mkdir()
    PIL.Image.new("RGB", (8, 6), (200, 100, 50)).save(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("projects")


@given(WORKS)
def test_work_survives_a_project(folder: Path, work: ObjectStack) -> None:
    image = Image.from_array(np.zeros((3, 4, 3), np.uint8), "pasted")
    path = folder / "a.zimproj"
    written = write_project(path, image, work)
    assert read_project(path) == written
    assert written.stack == work
    assert find_image_file(path, written.reference) == folder / "a-picture.png"


def test_project_travels_with_its_folder(photo: Path, tmp_path: Path) -> None:
    project = tmp_path / "a.zimproj"
    write_project(project, load_image(photo), WORK)
    assert json.loads(project.read_text())["picture"]["path"] == "photos/a b.png"
    moved = tmp_path.parent / f"{tmp_path.name}-moved"
    tmp_path.rename(moved)
    again = read_project(moved / "a.zimproj")
    assert again.stack == WORK
    path = find_image_file(moved / "a.zimproj", again.reference)
    assert path == moved / "photos" / "a b.png"
    assert again.reference.match(load_image(path)) == "same"


def test_image_outside_is_recognised_but_its_path_is_not_stored(
    photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "projects").mkdir()
    project = tmp_path / "projects" / "a.zimproj"
    image = load_image(photo)
    reference = write_project(project, image, WORK).reference
    assert (reference.path, reference.name) == (None, "a b.png")
    assert find_image_file(project, reference) is None
    assert reference.match(image) == "same"
    assert str(photo.parent) not in project.read_text()


def test_changed_image_is_recognised(photo: Path, tmp_path: Path) -> None:
    project = tmp_path / "a.zimproj"
    reference = write_project(project, load_image(photo), WORK).reference
    PIL.Image.new("RGB", (8, 6), (1, 2, 3)).save(photo)
    assert reference.match(load_image(photo)) == "changed"
    PIL.Image.new("RGB", (6, 8)).save(photo)
    assert reference.match(load_image(photo)) == "other"
    photo.unlink()
    assert find_image_file(project, reference) is None


def test_pasted_image_is_kept_once_and_exactly(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (5, 7, 3), dtype=np.uint16)
    image = Image.from_array(pixels, "Pasted")
    other = Image.from_array(pixels[::-1], "Pasted")
    project = tmp_path / "a.zimproj"
    for each, name in ((image, "a-picture.png"),) * 2 + ((other, "a-picture-2.png"),):
        reference = write_project(project, each, WORK).reference
        assert reference.path == name
    saved = load_image(tmp_path / "a-picture.png")
    np.testing.assert_array_equal(saved.source, pixels)
    assert saved.key == image.key
    assert len(list(tmp_path.iterdir())) == 3


def test_failed_save_keeps_the_old_project(photo: Path, tmp_path: Path) -> None:
    project = tmp_path / "a.zimproj"
    write_project(project, load_image(photo), WORK)
    before = project.read_bytes()
    project.chmod(0o400)
    broken = SceneObject(recipe=Recipe(PromptSet((Point(math.nan, 0),))))
    with pytest.raises((ZimError, ValueError)):
        write_project(project, load_image(photo), ObjectStack((broken,)))
    assert project.read_bytes() == before


def valid() -> dict[str, Any]:
    reference = ImageReference("a.png", "b/a.png", 8, 6, "ab" * 16)
    return {
        "format": "zim-studio project",
        "version": 1,
        "picture": reference.to_json(),
        **WORK.to_json(),
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    data = valid()
    steps = [int(name) if name.isdigit() else name for name in path.split(".")]
    *parents, last = steps
    inner: Any = data
    for name in parents:
        inner = inner[name]
    inner[last] = value
    return data


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "is no zim-studio project"),
        ({"format": "zim-studio session", "version": 1}, "is no zim-studio project"),
        (changed("version", 2), r"of version 2; known are 1 to 1\. Use the newer"),
        (changed("version", True), "version True"),
        (changed("version", 0), "version 0"),
        (changed("objects", []), "objects is empty"),
        (changed("objects", {}), "objects is malformed"),
        (changed("objects.0", 5), r"objects\[0\]: "),
        (changed("objects.1.id", 3), "same id twice"),
        (changed("objects.1.name", 3), r"objects\[1\]: Object 1 has a malformed name"),
        (changed("objects.1.recipe", None), r"objects\[1\]: This recipe has version"),
        (changed("objects.1.recipe.version", 99), r"objects\[1\].*newer zim-studio"),
        (changed("objects.0.recipe.prompts", 5), r"objects\[0\]: These prompts"),
        (changed("objects.0.recipe.also", 5), r"objects\[0\]"),
        (changed("objects.1.name", "a" * 2000), r"objects\[1\]: Object 1 has a malf"),
        (
            changed("objects.0.recipe.prompts", {"points": [[1e300, 4, 1]]}),
            r"cannot be used\. objects\[0\]: prompts\.points\[0\]",
        ),
        (
            changed(
                "objects.0.recipe.prompts",
                {"scribbles": [{"positive": 1, "path": [[1, 1], [1e30, 1e30]]}]},
            ),
            r"objects\[0\]: prompts\.scribbles\[0\]\.path",
        ),
        (changed("objects.0.recipe.model", "/tmp/x.safetensors"), "which is no name"),
        (changed("objects", [{}] * 5000), "5000 objects; at most"),
        (changed("active", 2), "active is 2"),
        (changed("active", False), "active is malformed"),
        (changed("picture", None), "picture is malformed"),
        (changed("picture.width", 0), "size is 0 x 6"),
        (changed("picture.width", "8"), "width is malformed"),
        (changed("picture.digest", "../../x"), "digest is malformed"),
        (changed("picture.name", None), "name is malformed"),
    ],
)
def test_other_files_are_refused_with_file_and_field(
    tmp_path: Path, data: Any, sentence: str
) -> None:
    path = tmp_path / "a.zimproj"
    path.write_text(json.dumps(data))
    with pytest.raises(ZimError, match=rf"a\.zimproj.*{sentence}"):
        read_project(path)


def test_path_that_no_disk_has_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "a.zimproj"
    path.write_text(json.dumps(changed("picture.path", "x" * 5000)))
    assert find_image_file(path, read_project(path).reference) is None


def test_valid_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "a.zimproj"
    path.write_text(json.dumps(valid()))
    assert read_project(path).stack == WORK


@pytest.mark.parametrize(
    "text", ["", "{", "\xff", "[" * 100_000, '{"format": NaN}', "null"]
)
def test_damaged_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.zimproj"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ZimError, match=r"a\.zimproj is (damaged or )?no zim-studio"):
        read_project(path)
    with pytest.raises(ZimError, match="cannot be read: there is no such file"):
        read_project(tmp_path / "missing.zimproj")


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../a.png", "b/../../a.png", "..", "C:\\a.png", "C:/a.png"),
        *("\\\\host\\a.png", "//host/a.png", "b\\..\\..\\a", "", "a\0.png", 5),
    ],
)
def test_paths_that_lead_elsewhere_are_refused(tmp_path: Path, path: Any) -> None:
    file = tmp_path / "a.zimproj"
    file.write_text(json.dumps(changed("picture.path", path)))
    with pytest.raises(ZimError, match="leads out of the project's folder"):
        read_project(file)


@given(st.text(max_size=30))
def test_any_path_that_is_accepted_stays_inside(text: str) -> None:
    try:
        reference = ImageReference.from_json(valid()["picture"] | {"path": text})
    except ZimError:
        return
    folder = Path("/projects/one")
    joined = Path(str(folder / str(reference.path)))
    assert folder in [joined, *joined.parents]
    assert ".." not in joined.parts


def test_relative_path_of_a_link_is_of_what_it_leads_to(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "a.png").touch()
    (inside / "link.png").symlink_to(outside / "a.png")
    assert relative_path(inside / "link.png", inside) is None
    assert relative_path(inside / "b" / ".." / "c.png", inside) == "c.png"
