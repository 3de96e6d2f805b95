"""The documents match the program: keys, links, commands and examples."""

import ast
import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from zim_app.cli import main as cli

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
DOCUMENTS = [
    *(README, ROOT / "CONTRIBUTING.md", ROOT / "CONTEXT.md"),
    *(ROOT / "training" / "README.md", ROOT / "NOTICE"),
    *sorted((ROOT / "docs").rglob("*.md")),
]
GUIDES = [README, *sorted((ROOT / "docs").glob("*.md"))]
PARSED_ONLY = "<!-- parsed only"
"""Stands before an example that needs a network or files that are not there."""


def examples(path, language):
    """The examples of a language: whether to run it, and its text."""
    text, fence = path.read_text("utf-8"), f"```{language}\n"
    for before, after in zip(
        text.split(fence)[:-1], text.split(fence)[1:], strict=True
    ):
        last_line = before.rstrip().rpartition("\n")[2]
        yield not last_line.startswith(PARSED_ONLY), after.partition("```")[0]


def having(language):
    return [path for path in GUIDES if any(examples(path, language))]


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with the files that examples name, as the current one."""
    samples = ROOT / "assets" / "samples"
    cat = samples / "cat.jpg"
    for sample in samples.glob("*.jpg"):
        shutil.copy(sample, tmp_path)
    (tmp_path / "photos").mkdir()
    for photo in "ab":
        shutil.copy(cat, tmp_path / "photos" / f"{photo}.jpg")
    import cv2
    import numpy as np

    mask = np.zeros((300, 451), np.uint8)
    cv2.ellipse(mask, (240, 150), (120, 130), 0, 0, 360, 255, -1)
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_keys_are_those_of_the_window():
    from zim_app.gui.commands.actions import ACTIONS

    known = {key for spec in ACTIONS for key in spec.keys}
    text = README.read_text("utf-8")
    table = text.partition("## In the studio")[2].partition("\n\n!")[0]
    cells = " ; ".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE))
    key = r"(?:Ctrl\+|Shift\+)*(?:[A-Z]|\d|PgUp|PgDown|Delete|[?,\[\]])"
    named = set(re.findall(rf"(?<![\w+]){key}(?![\w+])", cells))
    named -= {","}  # between two keys
    assert {"F", "Ctrl+E", "[", "?", "Ctrl+,", "1"} <= named, "the table is read"
    assert named <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_linked_files_exist(path):
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        if not link.startswith("http"):
            assert (path.parent / link).exists(), link


@pytest.mark.parametrize(
    "path", [p for p in DOCUMENTS if "adr" not in p.parts], ids=name
)
def test_named_files_exist(path):
    top = "zim_app|zim_model|training|assets|tests|docs|benchmarks"
    pattern = rf"`((?:{top})/[\w./-]+)`"
    for named in re.findall(pattern, path.read_text("utf-8")):
        assert (ROOT / named).exists(), named


def test_steps_of_the_architecture_exist():
    """Every function that a flow names is defined in the file beside it."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    steps = re.findall(r"^\| `([\w/.]+\.py)` \| (.*?) \|", text, re.MULTILINE)
    assert len(steps) > 30
    for file, functions in steps:
        defined = set()
        for node in ast.parse((ROOT / file).read_text("utf-8")).body:
            defined.add(getattr(node, "name", ""))
            for part in getattr(node, "body", []) if hasattr(node, "name") else []:
                name = getattr(part, "name", "")
                defined |= {name, f"{node.name}.{name}"}
        assert set(re.findall(r"`([\w.]+)`", functions)) <= defined, file


def test_every_decision_is_listed():
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    for record in (ROOT / "docs" / "adr").glob("*.md"):
        assert f"(adr/{record.name})" in index


@pytest.mark.slow
@pytest.mark.parametrize("path", having("sh"), ids=name)
def test_commands_run_as_written(path, workplace, capsys):
    """All commands of a document, in their order, in one folder."""
    for table in examples(path, "csv"):
        (workplace / "prompts.csv").write_text(table[1])
    for run, text in examples(path, "sh"):
        for line in re.findall(r"^zim-studio (.*)$", text, re.MULTILINE):
            words = shlex.split(line, comments=True)
            if run:
                assert cli.run(words) == 0, f"{line}: {capsys.readouterr().err}"
            else:
                with pytest.raises(SystemExit) as stopped:
                    cli.run([*words, "--help"])
                assert stopped.value.code == 0
                known = capsys.readouterr().out
                for option in (word for word in words if word.startswith("-")):
                    assert option in known, option


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    """The folder of zim-tiny's graphs, which a command before an example makes."""
    from zim_model.onnx.tiny_export import write_tiny
    from zim_model.weights.checkpoint import load_model

    folder = tmp_path_factory.mktemp("graphs")
    write_tiny(load_model("zim-tiny"), folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("path", having("python"), ids=name)
def test_python_examples_run_as_written(path, workplace, graphs):
    (workplace / "graphs").symlink_to(graphs)
    for number, (runs, text) in enumerate(examples(path, "python")):
        names: dict = {}
        code = compile(text, f"{path.name}:{number}", "exec")
        if runs:
            exec(code, names)
        if "alpha" in names:
            assert names["alpha"].shape == (300, 451)
            assert names["alpha"].max() > 0


def cat_files(folder):
    """The cat in colours and in grey, each as plain PNG and then in other files."""
    import cv2
    import numpy as np

    photo = Image.open("cat.jpg")
    grey = photo.convert("L")
    opaque = Image.new("L", photo.size, 255)
    for name, image in (("rgb", photo), ("grey-rgb", grey.convert("RGB"))):
        image.save(folder / f"{name}.png")
    grey.save(folder / "grey.jpg", quality=95)
    Image.merge("RGBA", (*photo.split(), opaque)).save(folder / "rgba.png")
    photo.quantize(256).save(folder / "palette.png")
    photo.quantize(255).save(folder / "clear-palette.png", transparency=254)
    deep = np.asarray(photo).astype(np.uint16)[..., ::-1] * 257
    cv2.imwrite(str(folder / "deep.png"), deep)
    cv2.imwrite(str(folder / "deep.tif"), deep)
    cv2.imwrite(str(folder / "deep-grey.png"), np.asarray(grey).astype(np.uint16) * 257)
    colours = ("rgba.png", "palette.png", "clear-palette.png", "deep.png", "deep.tif")
    return {
        folder / "rgb.png": [folder / name for name in colours],
        folder / "grey-rgb.png": [folder / "grey.jpg", folder / "deep-grey.png"],
    }


@pytest.mark.slow
def test_the_example_of_onnx_takes_all_kinds_of_photos(workplace, graphs):
    import numpy as np

    (workplace / "graphs").symlink_to(graphs)
    path = ROOT / "docs" / "command_line.md"
    [text] = [text for _, text in examples(path, "python") if "graphs/" in text]

    def run(photo, *box):
        names: dict = {}
        changed = text.replace("cat.jpg", str(photo))
        if box:
            changed = re.sub(r"np\.array\(\[.*?\]\)", f"np.array({list(box)})", changed)
        exec(changed, names)
        return names["alpha"]

    (workplace / "kinds").mkdir()
    for plain, others in cat_files(workplace / "kinds").items():
        expected = run(plain)
        for file in others:
            assert np.abs(run(file) - expected).mean() < 0.02, file.name
    for size in ((4000, 3), (3, 4000), (1, 1), (3000, 1)):
        Image.new("RGB", size, "red").save("thin.png")
        alpha = run("thin.png", 0, 0, *size)
        assert alpha.shape == size[::-1]
        assert np.isfinite(alpha).all()
