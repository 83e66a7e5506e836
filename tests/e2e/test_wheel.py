"""What users install: the wheel holds the two packages and nothing else, and runs in a folder full of traps."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from dropship_mcp import __version__
from dropship_tools import PROVIDERS
from e2e.processes import environment, started
from protocol.samples import SAMPLES, Sample

pytestmark = pytest.mark.timeout(60)

PROJECT = Path(__file__).parents[2]
NAME = f"dropship_mcp-{__version__}"


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel and its dependencies, but not this checkout."""

    bin: Path
    alien: Path
    """A working directory that is not ours: it has packages of its own under the names of our folders."""

    def run(self, *command: str) -> str:
        """Standard output of a program that ends well and says nothing else."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=self.alien,
            env=environment(self.alien),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


def build(target: str, source: Path, into: Path) -> Path:
    """The one file that hatchling makes of `source`."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", into],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this checkout."""
    return build("wheel", PROJECT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Installed as users do, dependencies borrowed from the environment that runs the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv, alien = folder / "venv", folder / "alien"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    install = ["install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *install], check=True)
    (site,) = venv.glob("lib/python3*/site-packages")
    # a path line, so that the .pth file over there, which leads to this checkout, is not followed
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    for name in ("server", "tools", "tests"):
        (alien / name).mkdir(parents=True)
        (alien / name / "__init__.py").write_text(f'raise RuntimeError("imported {name} of the working directory")')
    return Installed(venv / "bin", alien)


def test_the_wheel_holds_two_typed_packages_their_guides_and_the_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names} == {"dropship_mcp", "dropship_tools", f"{NAME}.dist-info"}
    assert {
        "dropship_mcp/py.typed",
        "dropship_tools/py.typed",
        f"{NAME}.dist-info/licenses/LICENSE",
        *(f"dropship_tools/{provider.name}/guide.md" for provider in PROVIDERS),
    } <= set(names)
    assert {Path(name).suffix for name in names if "dist-info" not in name} == {".py", ".md", ".json", ".typed"}


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(build("sdist", PROJECT, tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "source", filter="data")

    rebuilt = build("wheel", tmp_path / "source" / NAME, tmp_path / "wheel")

    record = f"{NAME}.dist-info/RECORD"
    assert zipfile.ZipFile(rebuilt).read(record) == zipfile.ZipFile(wheel).read(record)


def test_the_installed_program_names_its_version_from_an_alien_folder(installed: Installed) -> None:
    said = f"dropship-mcp {__version__}\n"

    assert installed.run("dropship-mcp", "--version") == said
    assert installed.run("python", "-m", "dropship_mcp", "--version") == said
    assert Path(installed.run("python", "-c", "print(__import__('dropship_mcp').__file__)")).is_relative_to(
        installed.bin.parent
    )


def test_the_installed_program_lists_its_tools_from_an_alien_folder(installed: Installed) -> None:
    names = {tool["name"] for tool in json.loads(installed.run("dropship-mcp", "tools", "--json"))}

    assert {sample.create for sample in SAMPLES.values()} <= names


def test_the_installed_program_places_an_order_from_an_alien_folder(installed: Installed, sample: Sample) -> None:
    with started(installed.alien, command=[str(installed.bin / "dropship-mcp")]) as server:
        server.send(server.hello(), server.call(sample.create, sample.order))
        server.read()
        assert server.answer()["outcome"] == "placed"
        server.close()
        assert server.finish() == (0, "")
