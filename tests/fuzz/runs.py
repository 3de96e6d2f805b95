"""What a training run reads: settings, tables of data sets, manifests, descriptions."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutation import NUMBERS, TEXTS, hostile_json, hostile_text
from tests.fuzz.reader import Reader

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "training" / "configs"
_SPECIAL = (
    "nan",
    "inf",
    "-inf",
    "1e400",
    "true",
    "[]",
    "{}",
    "1979-05-27",
    "0x7fffffff",
)
_SPECIAL = (*_SPECIAL, "9" * 5000, "[" * 5000, "{a=" * 2000, "'a'", "a.b = 1", '"""')


def _hostile_toml(rng: Random, text: str) -> bytes:
    """A TOML file with a few values replaced, or mutated as text."""
    lines = text.splitlines()
    if rng.random() < 0.4:
        return hostile_text(rng, lines)
    keys = [i for i, line in enumerate(lines) if "=" in line and line[0] != "#"]
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.choice(keys)
        key = lines[at].partition("=")[0]
        lines[at] = f"{key}= {_toml_value(rng)}"
    return "\n".join(lines).encode("utf-8", "replace")


def _toml_value(rng: Random) -> str:
    return rng.choice(
        (
            lambda: rng.choice(_SPECIAL),
            lambda: json.dumps(rng.choice(TEXTS)),
            lambda: str(rng.choice(NUMBERS[:-10])),
            lambda: f"{rng.uniform(-2, 2):.4f}",
            lambda: str(rng.choice(NUMBERS[-5:])),
        )
    )()


# -- Settings --------------------------------------------------------------------------


@lru_cache
def _configs() -> list[str]:
    return [path.read_text("utf-8") for path in sorted(CONFIGS.rglob("*.toml"))]


def _make_config(rng: Random, folder: Path) -> Path:
    path = folder / "run.toml"
    path.write_bytes(_hostile_toml(rng, rng.choice(_configs())))
    return path


def _read_config(path: Path) -> None:
    """The settings of one of the trainings; others refuse them."""
    from training.conversion.config import ConverterTrainConfig
    from training.tiny.config import TinyTrainConfig
    from zim_model.errors import ZimError

    refusals = []
    for kind in (_zim_config(), TinyTrainConfig, ConverterTrainConfig):
        try:
            _use_config(kind.read(path))
        except ZimError as error:
            refusals.append(error)
    if len(refusals) == 3:
        raise refusals[0]


def _zim_config() -> Any:
    from training.config import TrainConfig

    return TrainConfig


def _use_config(config: Any) -> None:
    from training.base_trainer import learning_rate

    for step in (0, 1, config.steps // 2, config.steps):
        assert 0 <= learning_rate(config, step) <= config.lr * 1.001


# -- Tables of data sets and manifests -------------------------------------------------

_TABLE = """[data]
aim-500 = "AIM-500"

[shares]
aim-500 = 2.0
"""


def _make_table(rng: Random, folder: Path) -> Path:
    for name in ("original", "mask"):
        (folder / "AIM-500" / name).mkdir(parents=True)
        suffix = ".jpg" if name == "original" else ".png"
        (folder / "AIM-500" / name / f"a{suffix}").write_bytes(b"x")
    path = folder / "data.toml"
    path.write_bytes(_hostile_toml(rng, _TABLE))
    return path


def _read_table(path: Path) -> None:
    from training.datasets.reading import read_table

    _ = read_table(path).has_coarse


_LIST = """[[data]]
path = "mine"
weight = 2.0
open = true

[[data]]
path = "mine/b*"
kind = "labels"
band = 2
background = 1

[[data]]
kind = "procedural"
"""


def _make_list(rng: Random, folder: Path) -> Path:
    (folder / "mine").mkdir()
    for name in ("a.jpg", "a.alpha.png", "b.jpg", "b.labels.png"):
        (folder / "mine" / name).write_bytes(b"x")
    path = folder / "data.toml"
    path.write_bytes(_hostile_toml(rng, _LIST))
    return path


def _read_list(path: Path) -> None:
    from training.sources import SceneReader

    SceneReader(path).summary()


def _make_manifest(rng: Random, folder: Path) -> Path:
    row = {"file": "photos/a.jpg", "weights": "open", "background_label": 3}
    data = {"files": [row, {"file": "photos/b.jpg", "licence": "CC0"}]}
    (folder / "MANIFEST.json").write_bytes(hostile_json(rng, data))
    return folder


def _read_manifest(folder: Path) -> None:
    from training.manifest import Manifest

    manifest = Manifest(folder)
    for name in ("a", "b", "c"):
        manifest.is_open(folder / "photos" / f"{name}.jpg")
        manifest.background(folder / "photos" / f"{name}.jpg")


def _make_description(rng: Random, folder: Path) -> Path:
    objects = [
        {"id": 0, "name_ndx": 401, "name": "car, auto"},
        {"name_ndx": 5, "name": "sky"},
    ]
    data = {"annotation": {"object": objects, "filename": "a.jpg"}}
    (folder / "a.json").write_bytes(hostile_json(rng, data))
    rows = ["001 # 0 # 0 # car # car, auto # red", "002 # 1 # 0 # door # door # "]
    (folder / "a_atr.txt").write_bytes(hostile_text(rng, rows))
    return folder / "a_seg.png"


def _read_description(target: Path) -> None:
    from training.datasets.ade20k import by_object, full_categories

    full_categories.cache_clear()
    try:
        by_object(target)
    finally:
        full_categories(target)


READERS = (
    Reader("training-config", _make_config, _read_config),
    Reader("training-data-table", _make_table, _read_table),
    Reader("training-data-list", _make_list, _read_list),
    Reader("training-manifest", _make_manifest, _read_manifest),
    Reader("ade20k-description", _make_description, _read_description),
)
