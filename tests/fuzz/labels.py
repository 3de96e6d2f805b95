"""Training data in SA-1B's layout, and shards that are made from it."""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from collections import Counter
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from tests.fuzz.documents import HEIGHT, WIDTH
from tests.fuzz.mutation import TEXTS, WHOLE, hostile_json, mutate_bytes, mutate_value
from tests.fuzz.reader import Reader
from zim_model.matting.rle import decoded, encoded

# -- Run-length masks ------------------------------------------------------------------


def _mask() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[10:50, 20:70] = True
    return mask


def _make_rle(rng: Random, folder: Path) -> Any:
    del folder
    data = encoded(_mask(), packed=rng.random() < 0.5)
    if rng.random() < 0.3:  # lengths whose sum is right after all, or wraps
        counts = [rng.choice(WHOLE) for _ in range(rng.randrange(5))]
        data["counts"] = [*counts, HEIGHT * WIDTH - sum(counts)]
    if isinstance(data["counts"], str) and rng.random() < 0.5:
        text = mutate_bytes(rng, data["counts"].encode())
        data["counts"] = text if rng.random() < 0.5 else text.decode("latin-1")
        return data
    return mutate_value(rng, data)


def _read_rle(data: Any) -> None:
    assert decoded(data, (HEIGHT, WIDTH)).shape == (HEIGHT, WIDTH)


# -- SA-1B -----------------------------------------------------------------------------


@lru_cache
def _photo() -> bytes:
    stream = io.BytesIO()
    pixels = np.arange(HEIGHT * WIDTH * 3).reshape(HEIGHT, WIDTH, 3).astype(np.uint8)
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def _annotations() -> dict[str, Any]:
    mask = _mask()
    scores = {"id": 1, "area": 2000, "predicted_iou": 0.95, "stability_score": 0.97}
    return {
        "image": {"image_id": 1, "height": HEIGHT, "width": WIDTH, "file_name": "a"},
        "annotations": [
            {**scores, "segmentation": encoded(mask)},
            {**scores, "id": 2, "segmentation": encoded(mask, packed=False)},
        ],
    }


def _make_tar(rng: Random, folder: Path) -> Path:
    """A tar or folder with two images, one of them hostile."""
    photo = mutate_bytes(rng, _photo()) if rng.random() < 0.2 else _photo()
    files = {
        "sa_1.jpg": photo,
        "sa_1.json": hostile_json(rng, _annotations()),
        "sa_2.jpg": _photo(),
        "sa_2.json": json.dumps(_annotations()).encode(),
    }
    if rng.random() < 0.3:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder
    stream = io.BytesIO()
    formats = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
    with tarfile.open(fileobj=stream, mode="w", format=rng.choice(formats)) as tar:
        for name, content in files.items():
            tar.addfile(_member(rng, name, content), io.BytesIO(content))
    data = stream.getvalue()
    path = folder / "sa_000000.tar"
    path.write_bytes(mutate_bytes(rng, data) if rng.random() < 0.4 else data)
    return path


def _member(rng: Random, name: str, content: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    if rng.random() < 0.15:
        texts = [x for x in TEXTS if "\0" not in x and "\ud800" not in x][:-10]
        info.name = rng.choice(texts) + name
        if rng.random() < 0.5:
            info.type = rng.choice((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE))
            info.linkname, info.size = rng.choice(texts), 0
    return info


def _config(out: Path) -> Any:
    from training.sa1b_matte.building import BuildConfig
    from training.sa1b_matte.labels import IdentityLabeller

    return BuildConfig(out, IdentityLabeller, "labels", fraction=1.0)


def _read_tar(path: Path) -> None:
    from training.sa1b_matte.building import build_shard, plan_shards
    from training.sa1b_matte.sa1b import find_sources

    for source in find_sources([path]):
        config = _config(Path("out").absolute())
        config.out.mkdir(exist_ok=True)
        for task in plan_shards(config, source):
            report = build_shard(config, task)
            assert isinstance(report.faults, tuple)


def _read_annotations(path: Path) -> None:
    from training.sa1b_matte.labels import Filters, IdentityLabeller, make_mattes
    from training.sa1b_matte.sa1b import Sa1bSource, list_entries, read_entry

    entries, _ = list_entries(Sa1bSource("a", path))
    for entry in entries:
        image = read_entry(entry)
        faults: list[str] = []
        filters = Filters(mask_fraction=0.9)
        list(make_mattes(IdentityLabeller(), image, filters, Counter(), faults.append))


def _make_annotations(rng: Random, folder: Path) -> Path:
    (folder / "sa_1.jpg").write_bytes(_photo())
    (folder / "sa_1.json").write_bytes(hostile_json(rng, _annotations()))
    return folder


# -- Shards ----------------------------------------------------------------------------


@lru_cache
def _shards() -> dict[str, bytes]:
    """The files of a small data set of shards, by name."""
    from training.sa1b_matte.building import build_shard, plan_shards
    from training.sa1b_matte.sa1b import Sa1bSource
    from training.sa1b_matte.shards import write_manifest

    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "in"), Path(folder, "out")
        source.mkdir()
        (source / "sa_1.jpg").write_bytes(_photo())
        (source / "sa_1.json").write_text(json.dumps(_annotations()))
        out.mkdir()
        config = _config(out)
        (task,) = plan_shards(config, Sa1bSource("sa", source))
        write_manifest(out, config.manifest_head, [build_shard(config, task)])
        return {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def _make_shards(rng: Random, folder: Path) -> Path:
    for name, content in _shards().items():
        data = content
        if rng.random() < 0.5 and name.endswith(".json"):
            data = hostile_json(rng, json.loads(content))
        elif rng.random() < 0.7 and name.endswith(".tar"):
            data = _hostile_shard(rng, content)
        (folder / name).write_bytes(data)
    return folder


def _hostile_shard(rng: Random, data: bytes) -> bytes:
    """A shard of the same length, with a hostile record of its image."""
    start = data.index(b'{"')
    end = data.index(b"\0", start)
    record = hostile_json(rng, json.loads(data[start:end]))
    if len(record) > end - start or rng.random() < 0.3:
        return mutate_bytes(rng, data)
    return data[:start] + record.ljust(end - start) + data[end:]


def _read_shards(folder: Path) -> None:
    from training.sa1b_matte.shards import Shards, read_image, read_matte

    for items in Shards(folder).shards:
        for item in items[:20]:
            record, _ = read_image(item)
            for number in range(len(record.mattes[:20])):
                read_matte(item, record, number)


READERS = (
    Reader("run-lengths", _make_rle, _read_rle),
    Reader("sa1b-annotations", _make_annotations, _read_annotations),
    Reader("sa1b-tar", _make_tar, _read_tar),
    Reader("shards", _make_shards, _read_shards),
)
