"""Lists of images with prompts, and of evaluation data."""

from __future__ import annotations

import hashlib
import io
import tempfile
from email.message import Message
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.documents import HEIGHT, WIDTH, make_prompts, make_recipe, use_stack
from tests.fuzz.mutation import TEXTS, hostile_json, hostile_text, mutate_value
from tests.fuzz.reader import Reader
from zim_app.core.batch.prompt_table import read_table
from zim_model.recipe import Recipe

# -- Prompts of a batch ----------------------------------------------------------------

_CSV = (
    "image,object,x,y,label,left,top,right,bottom,units",
    "a.png,hair,10,20,1,,,,,",
    "a.png,hair,30.5,40.25,0,,,,,pixels",
    "b.png,,,,,5,5,60,50,",
    "c/d.jpg,,,,,0.1,0.1,0.9,0.9,fraction",
)
_JSON = (
    {"image": "a.png", "objects": [make_prompts().to_json(), {"box": [1, 2, 30, 40]}]},
    {"image": "b.png", "points": [[0.5, 0.5, 1]], "units": "fraction", "name": "b"},
    {"image": "c.png", "objects": [{"recipe": make_recipe().to_json()}]},
)


def _make_csv(rng: Random, folder: Path) -> Path:
    separator = rng.choice((",", ",", ";", "\t"))
    lines = [line.replace(",", separator) for line in _CSV]
    if rng.random() < 0.1:
        lines.insert(0, f"sep={separator}")
    path = folder / rng.choice(("a.csv", "a.csv", "a.tsv"))
    path.write_bytes(hostile_text(rng, lines))
    return path


def _make_json(rng: Random, folder: Path) -> Path:
    forms: tuple[Any, ...] = (
        list(_JSON),
        {"images": list(_JSON)},
        {each["image"]: each["objects"] for each in _JSON if "objects" in each},
    )
    path = folder / "a.json"
    path.write_bytes(hostile_json(rng, rng.choice(forms)))
    return path


def _read_prompt_table(path: Path) -> None:
    table = read_table(path)
    for image in ("a.png", "b.png", "./c.png", "c/d.jpg"):
        table.entry(image, unique=True)
    stacks = [entry for entry in table.entries.values() if not entry.problem]
    for entry in stacks[:50]:
        use_stack(entry.stack(HEIGHT, WIDTH, Recipe(model="zim-tiny")))


# -- Evaluation ------------------------------------------------------------------------


def _make_case_prompts(rng: Random, folder: Path) -> Path:
    data = {"point": [[3, 4, 1], [5, 6, 0], [7, 8, -1]], "bbox": [1, 2, 30.5, 40]}
    path = folder / "0001.json"
    path.write_bytes(hostile_json(rng, data))
    return path


def _read_case_prompts(path: Path) -> None:
    from zim_model.evaluation.reading import read_prompts, validate_prompts

    for prompts in read_prompts(path).values():
        validate_prompts(prompts, (HEIGHT, WIDTH))


@lru_cache
def _dataset() -> dict[str, bytes]:
    """The files of a small data set, by their paths in it."""
    from zim_model.evaluation.mini import write_mini_dataset

    with tempfile.TemporaryDirectory() as folder:
        root = write_mini_dataset(Path(folder), 1)
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


def _make_dataset(rng: Random, folder: Path) -> Path:
    """A data set with a hostile list, or without one and with hostile names."""
    root = folder / "MicroMat3K"
    listed = rng.random() < 0.7
    for name, content in _dataset().items():
        if name == "data_list.txt":
            if not listed:
                continue
            lines = content.decode().splitlines()
            if rng.random() < 0.3:
                words = mutate_value(rng, lines[0].split())
                lines[0] = " ".join(map(str, words if isinstance(words, list) else ()))
            content = hostile_text(rng, lines)
        elif rng.random() < 0.1:
            name = _renamed(rng, name)
        _place(root / name, content)
    return folder if rng.random() < 0.5 else root


def _renamed(rng: Random, name: str) -> str:
    stem = rng.choice(
        [x for x in TEXTS if "/" not in x and "\0" not in x] + ["0001_1_²"]
    )
    return str(Path(name).with_name(f"{stem[:100]}{Path(name).suffix}"))


def _place(path: Path, content: bytes) -> None:
    """Write a file, unless its name is none here."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except (OSError, ValueError):
        return


def _read_dataset(root: Path) -> None:
    from zim_model.errors import ZimError
    from zim_model.evaluation.datasets import open_dataset
    from zim_model.evaluation.reading import read_image, read_matte, read_prompts

    dataset = open_dataset(root)
    for case in dataset.cases[:3]:
        case.digest()
        try:
            read_image(case.image)
            read_matte(case.matte)
            read_prompts(case.prompts or case.matte)
        except ZimError:
            continue
    for problem in dataset.problems:
        problem.encode("utf-8", "surrogateescape")


def _make_answers(rng: Random, folder: Path) -> dict[str, bytes]:
    """What a server of the data set sends: its list, and files."""
    names = ("MicroMat3K/img/0001.png", "MicroMat3K/data_list.txt")
    content = b"data"
    blob = hashlib.sha1(b"blob 4\0" + content, usedforsecurity=False).hexdigest()
    entries: list[dict[str, Any]] = [
        {"type": "file", "path": name, "size": 4, "oid": blob} for name in names
    ]
    entries[0]["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": 4}
    del folder
    answer = content if rng.random() < 0.7 else rng.randbytes(rng.choice((0, 4, 5000)))
    return {"tree": hostile_json(rng, entries), "resolve": answer}


def _read_answers(answers: dict[str, bytes]) -> None:
    from zim_model.evaluation.micromat import download_micromat

    def answer(request: Any) -> _Response:
        kind = "tree" if "/tree/" in request.full_url else "resolve"
        return _Response(answers[kind])

    download_micromat(
        Path("data").absolute(),
        lambda progress: None,
        lambda: False,
        open_url=answer,
        sleep=lambda seconds: None,
    )


class _Response(io.BytesIO):
    """What a server sends."""

    status = 200

    @property
    def headers(self) -> Message:
        return Message()


READERS = (
    Reader("prompt-csv", _make_csv, _read_prompt_table),
    Reader("prompt-json", _make_json, _read_prompt_table),
    Reader("case-prompts", _make_case_prompts, _read_case_prompts),
    Reader("dataset", _make_dataset, _read_dataset),
    Reader("dataset-server", _make_answers, _read_answers),
)
