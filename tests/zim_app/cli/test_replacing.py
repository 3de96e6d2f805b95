"""Commands replace no file that they were not told to replace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.zim_model.conftest import SMALL_VIT, random_model
from training import merge_weights, pack
from zim_app.__main__ import main
from zim_model.weights.checkpoint import save_model

pytest.importorskip("onnx")

EARLIER = b"of an earlier run"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights, a folder for graphs and one of photos."""
    folder = tmp_path_factory.mktemp("sources")
    save_model(random_model(SMALL_VIT), folder / "zim.safetensors")
    for name in ("pair", "data"):
        (folder / name).mkdir()
    Image.new("RGB", (100, 100)).save(folder / "data" / "photo.jpg")
    return folder


COMMANDS: list[tuple[Callable[[list[str]], int], str, str]] = [
    (main, "export-onnx --model {src}/zim.safetensors -o {out}", "decoder.onnx"),
    (main, "export-onnx --model zim-tiny -o {out}", "refine.onnx"),
    (main, "models convert {src}/pair -o {out}/back.safetensors", "back.safetensors"),
    (pack.main, "{src}/data -o {out}/slice.tar", "slice.tar"),
]


@pytest.mark.parametrize(("command", "line", "name"), COMMANDS)
def test_existing_files_are_kept(
    command: Callable[[list[str]], int],
    line: str,
    name: str,
    sources: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    argv = line.format(src=sources, out=tmp_path).split()
    taken = tmp_path / name
    taken.write_bytes(EARLIER)
    assert command(argv) == 1
    assert f"{taken} exists already. Say --replace" in capsys.readouterr().err
    assert taken.read_bytes() == EARLIER
    assert list(tmp_path.iterdir()) == [taken]


def test_a_tar_is_replaced_when_told_so(sources: Path, tmp_path: Path) -> None:
    taken = tmp_path / "slice.tar"
    taken.write_bytes(EARLIER)
    assert pack.main([str(sources / "data"), "-o", str(taken), "--replace"]) == 0
    assert taken.read_bytes() != EARLIER


def test_merged_weights_never_replace_a_file(tmp_path: Path) -> None:
    taken = tmp_path / "merged.safetensors"
    taken.write_bytes(EARLIER)
    with pytest.raises(SystemExit):
        merge_weights.main(["zim-tiny", "zim-tiny", "--out", str(taken)])
    assert taken.read_bytes() == EARLIER
