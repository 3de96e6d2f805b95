"""The wheel, installed as a user installs it, and the script that starts the app."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from zim_app.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
DISPLAY = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def call(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command without a display and without this process's import path."""
    hidden = ("PYTHONPATH", "PYTHONHOME", *DISPLAY)
    env = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    done = call(*build, out, ROOT, cwd=out)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheel_holds_the_packages_and_nothing_else(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"zim_model", "zim_app", "training"}
    for package in packages:
        modules = (ROOT / package).rglob("*.py")
        assert {path.relative_to(ROOT).as_posix() for path in modules} <= names


def test_wheel_holds_every_asset(names: set[str]) -> None:
    files = [path for path in (ROOT / "assets").rglob("*") if path.is_file()]
    expected = {f"zim_model/{path.relative_to(ROOT).as_posix()}" for path in files}
    assert expected <= names
    assert "zim_model/assets/samples/cat.jpg" in names
    assert "zim_model/assets/icons/zim-studio.svg" in names


def test_wheel_holds_the_bundled_model(names: set[str]) -> None:
    assert any(
        re.fullmatch(r"zim_model/assets/models/zim-tiny.*\.safetensors", name)
        for name in names
    )


def test_wheel_holds_the_translations(names: set[str]) -> None:
    assert "zim_app/translations/zim-studio_de.qm" in names


def test_wheel_holds_the_licences(names: set[str]) -> None:
    for name in ("LICENSE", "NOTICE"):
        assert any(entry.endswith(f".dist-info/licenses/{name}") for entry in names)


@pytest.mark.slow
def test_installed_wheel_cuts_out_a_sample(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    pip = [sys.executable, "-m", "pip", "--python", python]
    install = call(*pip, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    assert install.returncode == 0, install.stderr
    # The dependencies are those of this interpreter; the packages are the wheel's own,
    # since a path file does not bring the path files of the folder it names.
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))

    code = "import zim_model.assets as a; print(a.asset_path('samples', 'cat.jpg'))"
    sample = Path(call(python, "-c", code, cwd=tmp_path).stdout.strip())
    assert sample.is_relative_to(home)

    command = [scripts / "zim-studio", "matte", sample, "--box", "120,20,400,290"]
    done = call(*command, "-o", "out.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / "out.png") as cutout, Image.open(sample) as photo:
        assert cutout.mode == "RGBA"
        assert cutout.size == photo.size
        low, high = cutout.getchannel("A").getextrema()
    assert low < 32 < 224 < high


def with_dependencies(names: list[str]) -> set[str]:
    """Packages and all that they depend on, without extras."""
    waiting, found = list(names), set[str]()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            requirements = importlib.metadata.requires(name) or ()
            for requirement in map(Requirement, requirements):
                marker = requirement.marker
                if marker is None or marker.evaluate({"extra": ""}):
                    waiting.append(requirement.name)
    return found


PICTURES = (
    "decoders/test_tiff.py::test_every_variant_has_the_pixels_that_were_written",
    "decoders/test_tiff.py::test_fax",
    "decoders/test_tiff.py::test_jpeg_and_plain_ycbcr",
    "test_images.py::test_16_bit_tiff_keeps_every_bit",
    "test_images.py::test_a_linear_profile_at_16_bits_has_no_bands_in_the_shadows",
)


def test_photos_are_read_alike_with_the_packages_that_run_installs(
    tmp_path: Path,
) -> None:
    """Nothing of the extras and of what development needs can be imported."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [Requirement(each).name for each in project["dependencies"]]
    plain = with_dependencies([*names, "pytest", "hypothesis"])
    hidden = [
        module
        for module, packages in importlib.metadata.packages_distributions().items()
        if not plain & {canonicalize_name(package) for package in packages}
    ]
    assert "psd_tools" in hidden
    code = (
        "import os, sys, pytest\n"
        "os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'\n"
        f"sys.modules.update(dict.fromkeys({hidden!r}))\n"
        "sys.exit(pytest.main(sys.argv[1:]))"
    )
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    options = ["-q", "-c", tmp_path / "pytest.ini", "--rootdir", ROOT, "-W", "error"]
    tests = [f"tests/zim_app/core/{name}" for name in PICTURES]
    done = call(
        *(sys.executable, "-c", code, *options, "-p", "no:cacheprovider"),
        *("--import-mode=importlib", *tests),
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_run_prints_the_cure_without_a_display(tmp_path: Path) -> None:
    """The message comes before any installation, from any folder, through a link."""
    copy = tmp_path / "a copy"
    copy.mkdir()
    shutil.copy(ROOT / "run", copy)
    link = tmp_path / "link"
    link.symlink_to(copy / "run")
    for arguments in ([], ["photo.jpg"]):
        done = call(link, *arguments, cwd=tmp_path)
        assert done.returncode == 1
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert "./run matte PHOTO --point X,Y -o OUT.png" in done.stderr
    assert list(copy.iterdir()) == [copy / "run"]


def test_run_distinguishes_commands_from_images() -> None:
    assert all(re.fullmatch(r"[a-z][a-z-]*", name) for name in COMMANDS)


def test_constraints_pin_every_dependency() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and line[0] != "#"]
    versions = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    for line in [*project["dependencies"], *(line for x in extras for line in x)]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(
            versions[canonicalize_name(requirement.name)]
        )


def copied_by_docker() -> list[str]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)
    return [name for line in lines for name in line.split()[:-1]]


def test_the_container_ignores_nothing_that_it_copies() -> None:
    allowed = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert allowed == set(copied_by_docker())
    assert all((ROOT / name).exists() for name in allowed)


def test_the_container_builds_the_same_wheel(names: set[str], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    hidden = shutil.ignore_patterns("__pycache__")
    for name in copied_by_docker():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=hidden)
        else:
            shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    done = call(*build, tmp_path, source, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        assert set(archive.namelist()) == names


def test_the_container_pins_torch_and_installs_extras_that_exist() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^torch==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extras,) = re.findall(r'"\.\[([\w,]+)\]"', text)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    (program,) = re.findall(r'^ENTRYPOINT \["([\w-]+)"\]', text, re.MULTILINE)
    assert program in project["scripts"]
