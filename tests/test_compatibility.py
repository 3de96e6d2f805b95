"""Files, options and names of the first published version still mean the same.

``tests/data/compat`` holds files as that version wrote them; they are never written
anew.  A new version of a format gets files of its own beside them.  The lists
``*.txt`` say what users and scripts may rely on; ``python -m tests.test_compatibility``
writes those, to be looked through where something was added on purpose.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import io
import itertools
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.zim_model.conftest import SMALL_VIT
from training.config import TrainConfig
from training.conversion.config import ConverterTrainConfig
from training.tiny.config import MODELS as TINY_MODELS
from training.tiny.config import TinyTrainConfig
from zim_app.__main__ import main
from zim_app.cli.main import COMMANDS
from zim_app.core.batch.jobs import image_jobs
from zim_app.core.batch.journal import content_digest, read_records
from zim_app.core.batch.plan import BatchPlan
from zim_app.core.batch.prompt_sources import PromptPolicy, ResolvedPrompts
from zim_app.core.batch.prompt_table import RelativeBox, TableObject, read_table
from zim_app.core.batch.reports import to_csv
from zim_app.core.batch.writing import thumbnail_path
from zim_app.core.export_options import ExportOptions
from zim_app.core.images import load_image
from zim_app.core.naming import FIELDS
from zim_app.core.project import read_project
from zim_app.core.saved_work import BUNDLED_MODEL, ObjectStack
from zim_app.core.session_store import FileStamp, SessionStore, read_recovery_state
from zim_model.assets import asset_path
from zim_model.conversion.config import CONVERTERS
from zim_model.conversion.network import ConverterNetwork
from zim_model.evaluation import report_formats
from zim_model.evaluation.datasets import Case
from zim_model.evaluation.journal import EvaluationJournal, read_journal
from zim_model.evaluation.reading import read_prompts
from zim_model.evaluation.report import Report
from zim_model.evaluation.report_formats import rows_to_csv, to_json
from zim_model.finish import Finish, Stroke
from zim_model.network.build import build_zim
from zim_model.network.config import CONFIGS, RELATIVES, ZimConfig
from zim_model.network.tiny import ZimTiny
from zim_model.network.zim import Zim
from zim_model.onnx.export import DECODER_INPUTS
from zim_model.prompts import Box, Point, PromptSet, Scribble
from zim_model.recipe import Options, Recipe, SceneObject
from zim_model.runtime.jobs import Shard
from zim_model.weights.tensors import fingerprint

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(__file__).parent / "data" / "compat"
PICTURE_KEY = "0195700a308d60d8b7e3bc2f7a555b35"

PROMPTS = PromptSet(
    (Point(10.5, 20.0), Point(3.0, 4.25, False)),
    Box(2.0, 3.0, 30.5, 28.0),
    (
        Scribble(((5.0, 6.0), (7.5, 8.0), (9.0, 12.0))),
        Scribble(((1.0, 1.0), (2.0, 2.0)), False),
    ),
)
FINISH = Finish(
    shift_edge=1.5,
    feather=2.25,
    contrast=0.5,
    strokes=(
        Stroke(((10.0, 10.0, 1.0), (12.5, 11.0, 0.5)), 6.0, 0.25, "add", 0.75),
        Stroke(((20.0, 10.0, 1.0),), 3.0, 0.8, "erase", 1.0),
        Stroke(((25.0, 12.0, 1.0),), 4.5, 0.5, "soften", 0.5),
    ),
    decontaminate=0.6,
)
EXPORT = ExportOptions(
    *("composite", "tiff", "16", 83, (12, 34, 56), Path("/pictures/wood.jpg")),
    *(True, 7, 0.5, 640, 0.5, "together", True, "{name}-{object}-{n:02}"),
)


LATER = {"trim_alpha": 2, "hidden_pixels": "bleed", "canvas": None, "shadow": False}
"""Options that the version before did not have."""


def read(name: str) -> dict:
    return json.loads((DATA / name).read_text("utf-8"))


def check_recipe(recipe: Recipe) -> None:
    assert recipe.prompts == PROMPTS
    assert recipe.model == "zim-vit-b"
    assert recipe.options == Options(2, "native", True)
    assert recipe.finish == FINISH
    assert recipe.more_prompt_sets == (PromptSet((), Box(31.0, 1.0, 39.0, 9.0)),)
    plain, refined = recipe.masks
    assert (plain.refine, refined.refine) == (False, True)
    assert plain.converter == refined.converter
    y, x = np.mgrid[:30, :40]
    disc = np.hypot(x - 20, y - 15) < 9
    np.testing.assert_array_equal(plain.decode(), np.where(disc, 255, 0))
    np.testing.assert_array_equal(refined.decode(), np.where(disc, 0, 255))


def check_objects(work: ObjectStack) -> None:
    first, second, third = work.objects
    assert work.active == 1
    named = [(x.id, x.name, x.colour, x.visible) for x in work.objects]
    assert named == [
        (3, "Cüp", 0xFF8800, True),
        (1, "", 0x2F8FFF, False),
        (7, "empty", 0x00FF00, True),
    ]
    check_recipe(first.recipe)
    assert second.recipe == Recipe(PromptSet((Point(5.0, 5.0),)))
    assert third.recipe == Recipe()


# -- Files of the studio --------------------------------------------------------------


def test_a_recipe():
    recipe = Recipe.from_json(read("recipe.json"))
    check_recipe(recipe)
    assert recipe.to_json() == read("recipe.json")


def test_a_project_and_its_image():
    project = read_project(DATA / "all.zimproj")
    check_objects(project.stack)
    assert project.reference.name == "photo.png"
    assert project.reference.path == "photo.png"
    assert (project.reference.width, project.reference.height) == (40, 30)
    assert project.reference.digest == PICTURE_KEY
    picture = load_image(DATA / "photo.png")
    assert picture.key == PICTURE_KEY, "else no image finds its earlier session"
    assert project.reference.match(picture) == "same"
    written = {"picture": project.reference.to_json(), **project.stack.to_json()}
    stored = read("all.zimproj")
    assert (stored.pop("format"), stored.pop("version")) == ("zim-studio project", 1)
    assert written == stored | {"bundled_model": 1}, "of the days without that field"


def test_a_session(tmp_path):
    shutil.copy(DATA / "session.json", tmp_path / f"{PICTURE_KEY}.json")
    session = SessionStore(tmp_path).load(PICTURE_KEY)
    check_objects(session.stack)
    assert session.digest == PICTURE_KEY
    assert session.name == "photo.png"
    assert session.path == Path("/pictures/photo.png")
    assert session.exported is True
    assert session.stamp == FileStamp(1700000000123456789, 4321)
    stored = read("session.json")
    assert (stored.pop("format"), stored.pop("version")) == ("zim-studio session", 1)
    assert session.to_json() == stored | {"bundled_model": 1}


def test_a_recovery_state():
    run = read_recovery_state(DATA / "run.json")
    assert run.name == "photo.png"
    assert run.image == Path("/pictures/photo.png")
    assert run.project == Path("/projects/all.zimproj")


def test_export_options():
    assert ExportOptions.from_json(read("export_options.json")) == EXPORT
    assert EXPORT.to_json() == read("export_options.json") | LATER
    assert FIELDS == ("name", "object", "what", "n", "width", "height", "date")


# -- Files of batches -----------------------------------------------------------------


def test_a_table_of_prompts():
    table = read_table(DATA / "prompts.csv")
    assert list(table.entries) == ["a.jpg", "sub/b.jpg"]
    first, second = table.entries.values()
    cup, saucer = first.objects
    points = (Point(10.0, 20.5), Point(3.0, 4.0, False))
    assert cup == TableObject("cup", Recipe(PromptSet(points), model=""), "pixels")
    assert saucer.name == "saucer"
    assert saucer.recipe.prompts == PromptSet((), Box(1.0, 2.0, 30.0, 40.0))
    (only,) = second.objects
    assert only.units == "fraction"
    assert only.recipe.prompts == PromptSet(
        (Point(0.5, 0.25),), Box(0.1, 0.2, 0.9, 0.8)
    )
    assert not first.problem
    assert not second.problem


def test_prompts_as_json():
    first, second = read_table(DATA / "prompts.json").entries.values()
    cup, recipe = first.objects
    points = (Point(10.0, 20.5), Point(3.0, 4.0, False), Point(5.0, 6.0))
    assert cup.name == "cup"
    assert cup.recipe.prompts == PromptSet(points, Box(1.0, 2.0, 30.0, 40.0))
    assert recipe.name == "recipe"
    check_recipe(recipe.recipe)
    (only,) = second.objects
    assert (only.units, only.recipe.prompts) == (
        "fraction",
        PromptSet((Point(0.5, 0.25),)),
    )


def test_a_batchs_journal_and_report():
    records = read_records([DATA / "batch"])
    assert list(records) == ["one.png", "two.jpg"]
    done, failed = records.values()
    assert done.row.state == "done"
    assert done.row.prompts == "box"
    assert done.row.outputs == ("one-cut.png",)
    assert (done.row.objects, done.row.width, done.row.height) == (1, 40, 30)
    assert (done.row.model, done.row.device) == ("zim-tiny", "fake")
    assert (done.row.read_ms, done.row.encode_ms, done.row.click_ms) == (35.3, 3, 2)
    assert (done.row.write_ms, done.row.coverage) == (29.3, 0.23333)
    assert (done.row.soft, done.row.score, done.row.notes) == (0.0, 0.9, ())
    assert done.key == PICTURE_KEY
    assert done.content == content_digest(DATA / "photo.png")
    assert done.stamp == FileStamp(1795938221022708400, 345)
    (output,) = done.outputs
    assert (output.path, output.stamp.size) == ("one-cut.png", 487)
    assert done.owned == {"one-cut.png": output.stamp}
    assert failed.row.state == "failed"
    assert failed.row.message.startswith("two.jpg is damaged")
    assert failed.row.hint == "Copy or download it again."
    stored = (DATA / "batch" / "report.csv").read_bytes()
    assert to_csv([done.row, failed.row]) == stored


def test_fingerprints_of_batches_are_unchanged():
    """Otherwise all results of earlier batches would be computed again."""
    (job,) = image_jobs([DATA / "photo.png"])
    objects = (SceneObject(recipe=Recipe.from_json(read("recipe.json"))),)
    # What the version before did is an option now.
    options = ExportOptions(
        depth="16", trim=True, padding=3, trim_alpha=0, hidden_pixels="keep"
    )
    plan = BatchPlan((job,), Path("out"), PromptPolicy(), options)
    models = {"zim-vit-b": "00ff", "zim-tiny": "11ee"}
    made = plan.fingerprint(
        ResolvedPrompts("session", ObjectStack(objects), "zim-vit-b"), models
    )
    assert made == "c06948a516100e71ea92101a51ee7d2d"
    other = replace(plan, export=replace(options, hidden_pixels="bleed"))
    resolved = ResolvedPrompts("session", ObjectStack(objects), "zim-vit-b")
    assert other.fingerprint(resolved, models) != made
    automatic = plan.fingerprint(ResolvedPrompts("automatic", None, "zim-tiny"), models)
    assert automatic == "c1e94698c17fb014621339c9f6b814a3"
    box = RelativeBox(0.25, 0.25, 0.75, 0.75).to_pixels(30, 40)
    assert box == Box(10.0, 7.5, 30.0, 22.5)
    name = thumbnail_path(Path("out"), "one.png").name
    assert name == "d87c4d4372501302989a04b4be4666f8.png"
    names = [f"folder/{n}.jpg" for n in range(40)]
    parts = [[n for n in names if Shard(k, 3).contains(n)] for k in (1, 2, 3)]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    assert digest[:16] == "8baa200f29478aa0"


# -- Files of evaluations --------------------------------------------------------------


def test_an_evaluations_journal_and_report(tmp_path):
    path = DATA / "evaluation" / "rows.jsonl"
    config, rows = read_journal(path)
    assert (config.dataset, config.layout, config.cases) == ("mini", "micromat", 2)
    assert config.systems == {"zim-tiny": "tiny@1", "theirs": "folder"}
    assert config.prompts == ("point", "box", "clicks:3")
    assert config.options == {"upsampling": "guided", "region": "all"}
    assert config.problems == ("0003 has no matte.",)
    assert list(rows) == [
        ("zim-tiny", "0001_01", "point"),
        ("zim-tiny", "0001_01", "clicks:3"),
        ("theirs", "0001_01", "box"),
    ]
    point, clicks, failed = rows.values()
    assert (point.digest, point.subset, point.area) == (
        "00aa11bb22cc33dd",
        "fine",
        0.05,
    )
    assert point.metrics == {
        **{"SAD": 1.5, "MSE": 2.25, "Grad": 0.125, "Conn": 1.0, "IoU": 0.75},
    }
    assert point.prompt_set == PromptSet((Point(10.0, 20.0),))
    assert (point.encode_ms, point.click_ms, point.device) == (12.5, 7.25, "CPU (fp32)")
    assert [each["IoU"] for each in clicks.curve] == [0.5, 0.9]
    assert failed.error == "There is no matte."
    assert (failed.size, point.size) == ("L", "M")
    report = Report.from_rows(config, list(rows.values()), 6)
    stored = DATA / "evaluation"
    lines = report_formats.to_csv(report).splitlines()
    for line, old in zip(
        lines, (stored / "report.csv").read_text("utf-8").splitlines(), strict=True
    ):
        assert line.startswith(old)  # further columns come after
    assert rows_to_csv(report) == (stored / "rows.csv").read_text("utf-8")
    written, old = json.loads(to_json(report)), read("evaluation/report.json")
    assert written["published"].keys() == old.pop("published").keys()
    for group in written["groups"]:
        del group["deviations"]  # since 0.1.0
    assert {name: written[name] for name in old} == old
    copy = Path(shutil.copy(path, tmp_path))
    with EvaluationJournal(copy, config, resume=True) as journal:
        assert journal.rows == rows
        journal.add(failed)
    lines = path.read_text().splitlines()
    assert copy.read_text().splitlines() == [*lines, lines[0], lines[-1]]


def test_a_cases_prompts_and_identity():
    prompts = read_prompts(DATA / "micromat.json")
    assert prompts == {
        "point": PromptSet((Point(10.0, 20.0), Point(3.0, 4.0, False))),
        "box": PromptSet((), Box(1.0, 2.0, 30.0, 40.0)),
    }
    photo = DATA / "photo.png"
    case = Case("0001_01", photo, photo, prompts=DATA / "micromat.json")
    assert case.digest() == "055cfbcec9db227f"


# -- Weights ---------------------------------------------------------------------------


def test_work_tells_which_weights_of_zim_tiny_made_it():
    """New weights raise BUNDLED_MODEL, so that saved work says once that it differs."""
    data = asset_path("models", "zim-tiny.safetensors").read_bytes()
    versions = {4: "819c8397d3c1cf68"}
    assert versions[BUNDLED_MODEL] == hashlib.sha256(data).hexdigest()[:16]
    clicked = replace(SceneObject(), recipe=Recipe(PromptSet((Point(5, 5),))))
    for version in (1, 2, 3, 4):
        stack = ObjectStack((clicked,), bundled_model=version)
        again = ObjectStack.from_json(stack.to_json())
        assert again.was_made_by_earlier_model is (version < 4)


def test_a_models_identity():
    model = Zim(SMALL_VIT)
    for tensor in model.state_dict().values():
        tensor.fill_(0.5)
    assert fingerprint(model) == "0a2e090806b2fef5"
    assert ZimConfig.from_json(SMALL_VIT.to_json()) == SMALL_VIT
    assert (
        *("feat_D0", "feat_D1", "feat_D2", "image_embeddings"),
        *("point_coords", "point_labels", "attn_mask"),
    ) == DECODER_INPUTS


def tensors(network: torch.nn.Module) -> list[str]:
    """Names and shapes, those of repeated layers in one line, and a digest of all."""
    own = network.state_dict()
    exact = [f"{name} {tuple(own[name].shape)} {own[name].dtype}" for name in own]
    digest = hashlib.sha256("\n".join(sorted(exact)).encode()).hexdigest()
    alike: dict[str, list[str]] = {}
    for line in sorted(exact):
        alike.setdefault(re.sub(r"\b\d+(?=\.)", "#", line), []).append(line)
    return [
        f"  {len(exact)} tensors, {digest[:16]}",
        *(f"  {line} x{len(lines)}" for line, lines in sorted(alike.items())),
    ]


def state_dicts() -> list[str]:
    lines = []
    with torch.device("meta"):
        for name in ("zim-vit-b", "sam-vit-b"):
            lines += [name, *tensors(Zim(CONFIGS[name]))]
        for name in ("mobile-sam", "sam2.1-hiera-tiny", "hq-sam-vit-b"):
            lines += [name, *tensors(build_zim(RELATIVES[name]))]
        lines += ["zim-tiny", *tensors(ZimTiny(TINY_MODELS["zim-tiny-detail"]))]
        for name, config in CONVERTERS.items():
            lines += [name, *tensors(ConverterNetwork(config))]
    return lines


def configurations() -> list[str]:
    """Keys of what is stored with weights, and of the TOML files of trainings."""
    relatives = {**CONFIGS, **RELATIVES}
    own = {**relatives, **CONVERTERS, "zim-tiny": TINY_MODELS["zim-tiny-detail"]}
    lines = [f"{name} {json.dumps(own[name].to_json())}" for name in sorted(own)]
    for each in (TrainConfig, TinyTrainConfig, ConverterTrainConfig):
        lines += [f"{each.__name__} {key}" for key in each.__dataclass_fields__]
    return lines


# -- What users type -------------------------------------------------------------------

TRAINING = (
    *("ablate", "evaluate_converter", "evaluate_tiny", "pack", "sa1b_matte.__main__"),
    *("adapt", "sa1b_matte.sample", "sa3d.__main__", "sa3d.made_up", "train_converter"),
    *("train_tiny", "train_zim"),
)
"""Modules of :mod:`training` that are commands."""


def help_of(command: object, *arguments: str) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), pytest.raises(SystemExit) as ended:
        command([*arguments, "--help"])  # type: ignore[operator]
    assert ended.value.code == 0
    return stream.getvalue()


def options_in(text: str) -> list[str]:
    """Options, and the values that some of them are chosen from."""
    usage = text[text.index("usage:") :].replace("python -m ", "")
    flags = re.findall(r"(?<=[\s\[(|])--?[a-z][\w-]*(?![\w.-])", usage)
    choices = re.findall(r"\{[^{}\s]+\}", usage)
    return sorted({*flags, *choices})


def cli_options() -> list[str]:
    lines = []
    for name in ("", *sorted(COMMANDS)):
        text = help_of(main, *filter(None, [name]))
        lines.append(" ".join(["zim-studio", *filter(None, [name]), *options_in(text)]))
        verbs = re.findall(r"^    (\w+) +\w", text, re.MULTILINE)
        for verb in verbs if name == "models" else ():
            text = help_of(main, name, verb)
            lines.append(" ".join(["zim-studio", name, verb, *options_in(text)]))
    for name in TRAINING:
        command = importlib.import_module(f"training.{name}").main
        lines.append(" ".join([f"training.{name}", *options_in(help_of(command))]))
    return lines


def environment() -> list[str]:
    """Names of the environment variables that any module reads."""
    names: set[str] = set()
    folders = [ROOT / name for name in ("zim_model", "zim_app", "training")]
    for path in itertools.chain.from_iterable(f.rglob("*.py") for f in folders):
        text = path.read_text("utf-8")
        if "environ" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                name = node.value
                if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|RANK|DISPLAY", name):
                    names.add(name)
    return sorted(names)


LISTS = {
    "state_dicts.txt": state_dicts,
    "configurations.txt": configurations,
    "cli_options.txt": cli_options,
    "environment.txt": environment,
}


@pytest.mark.parametrize("name", LISTS)
def test_names_are_as_they_were(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert LISTS[name]() == (DATA / name).read_text("utf-8").splitlines()


def test_the_options_are_plain_values():
    """They are stored by the keys of the version before."""
    assert list(EXPORT.to_json()) == [*read("export_options.json"), *LATER]


if __name__ == "__main__":
    for file, lines in LISTS.items():
        (DATA / file).write_text("\n".join(lines()) + "\n", "utf-8")
        print(file, len(lines()))
