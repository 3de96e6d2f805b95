import errno
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from training.sa1b_matte import building
from training.sa1b_matte.__main__ import main
from training.sa1b_matte.building import BuildConfig, build, build_shard, plan_shards
from training.sa1b_matte.labels import Filters
from training.sa1b_matte.sa1b import (
    Sa1bSource,
    find_sources,
    is_selected,
    list_entries,
    read_entry,
)
from training.sa1b_matte.sample import make_sample
from training.sa1b_matte.shards import MANIFEST, Shards, read_image, read_matte
from zim_model.errors import ZimError
from zim_model.matting.rle import decoded
from zim_model.runtime.cluster import RETRIES, connect_ray

IMAGES = 8


class BlurringLabeller:
    """Test converter that blurs the mask."""

    fingerprint = "blurring"

    def convert(self, image, mask):
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2)
        return np.rint(soft * 65535).astype(np.uint16)


class DeadlyLabeller(BlurringLabeller):
    """Test converter that kills its process at the fifth mask, once."""

    def __init__(self, mark):
        self.mark, self.count = mark, 0

    def convert(self, image, mask):
        self.count += 1
        if self.count == 5 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().convert(image, mask)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    root = tmp_path_factory.mktemp("sa1b")
    make_sample(root, IMAGES)
    return root


@pytest.fixture(scope="module")
def two_workers():
    with connect_ray("local:2"):
        yield "local:2"


def a_job(out, labeller=BlurringLabeller, **more):
    options = {"fraction": 1.0, "shard_size": 3, **more}
    return BuildConfig(out, labeller, "blurring", **options)


def everything(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def made(sample, tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    manifest = build(a_job(out), find_sources([sample]))
    return out, manifest


def test_every_mask_becomes_a_matte_at_its_place(sample, made):
    out, manifest = made
    entries = {
        entry.name: read_entry(entry)
        for source in find_sources([sample])
        for entry in list_entries(source)[0]
    }
    shards = Shards(out)
    assert len(shards) == IMAGES == manifest["counts"]["pictures"]
    count = 0
    for item in (item for items in shards.shards for item in items):
        record, pixels = read_image(item)
        image = entries[item.name]
        error = np.abs(pixels.astype(int) - image.pixels).max()
        assert error <= 3, "different JPEG decoders"
        assert len(record.mattes) == len(image.annotations)
        for number, annotation in enumerate(image.annotations):
            assert record.mattes[number].id == annotation["id"]
            mask = decoded(annotation["segmentation"])
            expected = np.rint(BlurringLabeller().convert(None, mask) / 257)
            np.testing.assert_array_equal(read_matte(item, record, number), expected)
            count += 1
    assert count == manifest["counts"]["mattes"]


def test_a_shard_is_a_plain_tar_that_others_can_stream(made):
    with tarfile.open(made[0] / "sa_000000-0000.tar") as tar:
        names = [member.name for member in tar]
        assert names[0] == "sa_1.000.png"
        assert len({name.partition(".")[0] for name in names[:4]}) == 1
        with Image.open(tar.extractfile("sa_1.jpg")) as image:
            assert image.size[0] > 0
        record = json.load(tar.extractfile("sa_1.json"))
        with Image.open(tar.extractfile("sa_1.000.png")) as matte:
            left, top, right, bottom = record["mattes"][0]["box"]
            assert matte.size == (right - left, bottom - top)


def test_the_manifest_describes_the_set(made):
    out, manifest = made
    assert json.loads((out / MANIFEST).read_text()) == manifest
    assert manifest["converter"] == "blurring"
    assert manifest["counts"]["shards"] == len(list(out.glob("*.tar"))) == 4
    done = subprocess.run(
        ["sha256sum", *[f"{shard['name']}.tar" for shard in manifest["shards"]]],
        cwd=out,
        capture_output=True,
        text=True,
        check=True,
    )
    digests = [line.split()[0] for line in done.stdout.splitlines()]
    assert digests == [shard["sha256"] for shard in manifest["shards"]]


@pytest.mark.parametrize(
    "place", ["processes", pytest.param("cluster", marks=pytest.mark.slow)]
)
def test_a_killed_worker_loses_nothing_and_changes_nothing(
    sample, made, tmp_path, place, request
):
    out, mark = tmp_path / "out", tmp_path / "killed"
    config = a_job(out, partial(deadly, mark))
    where = {"workers": 2}
    if place == "cluster":
        where = {"cluster": request.getfixturevalue("two_workers")}
    build(config, find_sources([sample]), **where)
    assert mark.exists(), "a worker was killed"
    for temporary in out.glob(".zim-*.tmp"):
        temporary.unlink()  # partial shard of the killed worker
    assert everything(out) == everything(made[0])


def test_a_shard_that_always_kills_its_worker_is_given_up(tmp_path):
    """The count remains only if the worker is killed."""
    mark = tmp_path / "mark"
    with building._count_attempt(mark, "sa_1"):
        assert mark.exists()
    assert not mark.exists()
    with pytest.raises(ZimError, match="full"), building._count_attempt(mark, "sa_1"):
        raise ZimError("The disk is full.")
    assert not mark.exists()
    killed = [building._count_attempt(mark, "sa_1") for _ in range(1 + RETRIES)]
    for attempt in killed:
        attempt.__enter__()
    with (
        pytest.raises(ZimError, match="sa_1 was given up: its worker died 4 times"),
        building._count_attempt(mark, "sa_1"),
    ):
        raise AssertionError("begun once more")
    assert not mark.exists(), "the next run starts counting at 0"


LOADED = {}


def deadly(mark):
    """Load once per process, like a converter."""
    return LOADED.setdefault(mark, DeadlyLabeller(mark))


def test_a_stopped_run_goes_on_with_what_is_missing(sample, made, tmp_path, capsys):
    arguments = [str(sample), "-o", str(tmp_path), "--converter", "labels"]
    options = ["--fraction", "1", "--shard-size", "3"]
    assert main([*arguments, *options]) == 0
    whole = everything(tmp_path)
    times = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.tar")}
    (tmp_path / "sa_000001-0000.tar").unlink()
    damaged = tmp_path / "sa_000000-0001.tar"
    damaged.write_bytes(damaged.read_bytes()[:-512] + bytes(511) + b"x")
    (tmp_path / MANIFEST).unlink()
    assert main([*arguments, *options]) == 0
    assert everything(tmp_path) == whole
    again = {
        name
        for name, was in times.items()
        if (tmp_path / name).stat().st_mtime_ns != was
    }
    assert again == {"sa_000001-0000.tar", "sa_000000-0001.tar"}


def test_other_options_do_not_mix_into_a_set(sample, tmp_path, capsys):
    arguments = [str(sample), "-o", str(tmp_path), "--converter", "labels"]
    listening = signal.getsignal(signal.SIGTERM)
    assert main([*arguments, "--fraction", "1"]) == 0
    assert main([*arguments, "--fraction", "0.5"]) == 1
    assert signal.getsignal(signal.SIGTERM) is listening
    assert "fraction: 1.0 -> 0.5" in capsys.readouterr().err


def test_a_fraction_of_the_masks_is_kept_and_the_rest_is_counted(sample, tmp_path):
    def build_fraction(name, fraction):
        filters = Filters(mask_fraction=fraction)
        job = a_job(tmp_path / name, filters=filters)
        manifest = build(job, find_sources([sample]))
        shards = Shards(tmp_path / name)
        items = [item for shard in shards.shards for item in shard]
        ids = {
            (item.name, matte.id)
            for item in items
            for matte in read_image(item)[0].mattes
        }
        return ids, manifest["dropped"].get("not in the fraction of masks", 0)

    whole, none = build_fraction("whole", 1.0)
    half, dropped = build_fraction("half", 0.5)
    assert none == 0
    assert half < whole
    assert len(half) + dropped == len(whole)
    assert 0.2 < len(half) / len(whole) < 0.8


def test_the_fraction_is_stable_and_nested():
    names = [f"sa_{number}" for number in range(20000)]
    small, large = (
        {n for n in names if is_selected(n, share)} for share in (0.01, 0.1)
    )
    assert small < large
    assert 150 < len(small) < 250
    assert 1850 < len(large) < 2150
    assert all(is_selected(name, 1.0) for name in names)


def test_a_size_beyond_the_tar_takes_no_memory(tmp_path):
    """And names cannot lead out of a folder: what they begin with is dropped."""
    path = tmp_path / "sa.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name in ("../../sa_1.json", "/etc/sa_1.jpg"):
            member = tarfile.TarInfo(name)
            member.size = 2**50 if name.endswith("jpg") else 0
            tar.addfile(member)
    [entry], faults = list_entries(Sa1bSource("sa", path))
    assert entry.name == "sa_1"
    assert "sa.tar is damaged after sa_1.jpg" in faults[0]
    with pytest.raises(ZimError, match=r"sa\.tar ends too early"):
        read_entry(entry)


@pytest.fixture
def damaged(sample, tmp_path):
    """A truncated tar, and a folder with several damaged files."""
    root = tmp_path / "damaged"
    folder = root / "sa_000001"
    folder.mkdir(parents=True)
    data = (sample / "sa_000000.tar").read_bytes()
    with tarfile.open(sample / "sa_000000.tar") as tar:
        last = tar.getmembers()[-2]
    (root / "sa_000000.tar").write_bytes(data[: last.offset_data + 100])
    for path in (sample / "sa_000001").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "sa_5.jpg").unlink()
    (folder / "sa_6.jpg").write_bytes(b"no image")
    (folder / "sa_7.json").write_text("[1, 2]")
    return root


def test_bad_input_is_named_counted_and_can_be_repaired(
    sample, damaged, tmp_path, capsys
):
    out = tmp_path / "out"
    command = [str(damaged), "-o", str(out), "--converter", "labels", "--fraction", "1"]
    assert main(command) == 0
    said = capsys.readouterr()
    for text in ("sa_000000.tar is damaged after", "sa_5.jpg is missing"):
        assert text in said.err
    for text in ("sa_6.jpg cannot be read", "sa_7.json cannot be read"):
        assert text in said.err
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["counts"]["faults"] == len(manifest["faults"]) >= 4
    assert manifest["counts"]["pictures"] == 4

    for path in (sample / "sa_000001").iterdir():
        (damaged / "sa_000001" / path.name).write_bytes(path.read_bytes())
    data = (sample / "sa_000000.tar").read_bytes()
    (damaged / "sa_000000.tar").write_bytes(data)
    assert main([*command, "--faulty-again"]) == 0
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["counts"]["faults"] == 0
    assert manifest["counts"]["pictures"] == IMAGES


def test_a_image_and_annotations_of_other_sizes_are_not_used(sample, tmp_path):
    (source,) = find_sources([sample / "sa_000001"])
    entry = list_entries(source)[0][0]
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20)).save(buffer, "JPEG")
    wrong = tmp_path / "x.jpg"
    wrong.write_bytes(buffer.getvalue())
    import dataclasses

    entry = dataclasses.replace(
        entry, image=dataclasses.replace(entry.image, path=wrong)
    )
    with pytest.raises(ZimError, match="has 30 x 20"):
        read_entry(entry)


def test_a_full_disk_is_reported_and_leaves_nothing_half_done(
    sample, tmp_path, monkeypatch
):
    config = a_job(tmp_path / "out")
    sources = find_sources([sample])
    whole = building.ShardWriter.close
    calls = []

    def full(self):
        calls.append(self)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(self)

    monkeypatch.setattr(building.ShardWriter, "close", full)
    with pytest.raises(ZimError, match="the disk is full") as caught:
        build(config, sources)
    assert "Free some space" in caught.value.hint
    assert "same command" in caught.value.hint
    assert sorted(everything(config.out)) == [
        "options.json",
        "sa_000000-0000.json",
        "sa_000000-0000.tar",
    ]
    monkeypatch.undo()
    assert build(config, sources)["counts"]["pictures"] == IMAGES


def test_a_terminated_job_leaves_nothing_half_done(sample, tmp_path):
    """SIGTERM while a shard is being written, as sent by schedulers."""
    code = (
        "import os, signal, sys\n"
        "from training.sa1b_matte import __main__ as it\n"
        "from training.sa1b_matte import building\n"
        "real = building.build_shard\n"
        "def slow(config, task):\n"
        "    if task.shard == 'sa_000000-0001':\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return real(config, task)\n"
        "building.build_shard = slow\n"
        f"sys.exit(it.main([{str(sample)!r}, '-o', {str(tmp_path / 'out')!r},"
        " '--converter', 'labels', '--fraction', '1', '--shard-size', '3']))\n"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 130, done.stderr
    assert "same command to resume" in done.stderr
    left = sorted(everything(tmp_path / "out"))
    assert left == ["options.json", "sa_000000-0000.json", "sa_000000-0000.tar"]


def test_what_killed_workers_left_is_removed_but_not_what_is_being_written(
    sample, tmp_path
):
    config = a_job(tmp_path)
    old, new = tmp_path / ".zim-1.tmp", tmp_path / ".zim-2.tmp"
    for path in (old, new):
        path.touch()
    past = time.time() - 2 * building.STALE_AFTER_S
    os.utime(old, (past, past))
    build(config, find_sources([sample]))
    assert not old.exists()
    assert new.exists()


def test_few_images_are_in_memory_at_a_time(sample, tmp_path, monkeypatch):
    """A shard of any length is read and written image by image."""
    order = []
    monkeypatch.setattr(
        building,
        "read_entry",
        lambda entry: order.append(f"read {entry.name}") or read_entry(entry),
    )
    add = building.ShardWriter.add

    def noted(self, name, *rest):
        add(self, name, *rest)
        order.append(f"wrote {name}")

    monkeypatch.setattr(building.ShardWriter, "add", noted)
    (source,) = find_sources([sample / "sa_000001"])
    config = a_job(tmp_path)
    (task, *_) = plan_shards(config, source)
    build_shard(config, task)
    assert order[:3] == ["read sa_5", "wrote sa_5", "read sa_6"]


def test_sources_of_one_name_are_refused(sample, tmp_path):
    other = tmp_path / "sa_000001"
    other.mkdir()
    (other / "sa_9.json").write_text("{}")
    with pytest.raises(ZimError, match="the same name"):
        find_sources([sample, tmp_path])


def test_a_trained_converter_makes_the_mattes(sample, tmp_path, capsys, monkeypatch):
    import torch

    from zim_model.conversion.config import CONVERTER_TINY
    from zim_model.conversion.converter import Converter
    from zim_model.conversion.network import ConverterNetwork
    from zim_model.conversion.weights import save_converter
    from zim_model.runtime import devices

    monkeypatch.setattr(devices, "default_device", lambda: "cpu")
    torch.manual_seed(0)
    weights = tmp_path / "converter.safetensors"
    save_converter(ConverterNetwork(CONVERTER_TINY), weights)
    out = tmp_path / "out"
    folder = str(sample / "sa_000001")
    command = [folder, "-o", str(out), "--fraction", "1", "--min-agreement", "0"]
    assert main([*command, "--converter", str(weights)]) == 0
    converter = Converter.load(weights)
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["converter"] == f"converter-tiny {converter.fingerprint}"
    (items,) = Shards(out).shards
    record, _ = read_image(items[0])
    (source,) = find_sources([Path(folder)])
    image = read_entry(list_entries(source)[0][0])
    mask = decoded(image.annotations[0]["segmentation"])
    expected = np.rint(converter.convert(image.pixels, mask) / 257)
    assert np.abs(read_matte(items[0], record, 0) - expected).max() <= 1

    assert main([*command, "--converter", "converter-huge"]) == 1
    assert "converter-huge" in capsys.readouterr().err


def test_missing_data_is_reported(tmp_path, capsys):
    assert main([str(tmp_path), "-o", str(tmp_path / "o"), "--converter", "labels"])
    assert "no SA-1B data found" in capsys.readouterr().err


def test_an_unfinished_set_is_not_read(made, tmp_path):
    with pytest.raises(ZimError, match=MANIFEST):
        Shards(tmp_path)
    for name, data in everything(made[0]).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "sa_000000-0000.tar").write_bytes(b"short")
    with pytest.raises(ZimError, match="missing or incomplete"):
        Shards(tmp_path)
