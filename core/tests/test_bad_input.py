"""Bad input through the command line: a message of three parts, exit code 2, and nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

UNITS = "--unit E=eV --unit R=angstrom"
EXPERIMENT = """\
[[data.source]]
path = "good.npz"
reader = "npz"
unit = { E = "eV", R = "angstrom" }
[model]
name = "ridge"
[training]
num_epochs = 3
"""


def arrays(**changes: Any) -> dict[str, Any]:
    """Ten frames of a water, with some arrays exchanged, added, or (None) left out."""
    random = np.random.default_rng(0)
    rest = np.array([[0.0, 0.0, 0.0], [0.76, 0.59, 0.0], [-0.76, 0.59, 0.0]])
    made = {"R": rest + random.normal(scale=0.05, size=(10, 3, 3)), "Z": np.tile([8, 1, 1], (10, 1))}
    made |= {"E": random.normal(size=10), **changes}
    return {name: values for name, values in made.items() if values is not None}


def npz(**changes: Any) -> Callable[[Path], None]:
    """Writes ``it.npz``."""
    return lambda folder: np.savez(folder / "it.npz", **arrays(**changes))


def text(name: str, content: str) -> Callable[[Path], None]:
    """Writes a text file."""
    return lambda folder: [(folder / name).write_text(content), None][-1]


def positions(value: float) -> np.ndarray:
    """Positions, one coordinate of frame 3 replaced."""
    changed = arrays()["R"]
    changed[3, 1, 2] = value
    return changed


def truncated(folder: Path) -> None:
    """The first half of an archive."""
    npz()(folder)
    content = (folder / "it.npz").read_bytes()
    (folder / "it.npz").write_bytes(content[: len(content) // 2])


def taken_run(folder: Path) -> None:
    """A folder where the run would go."""
    text("exp.toml", EXPERIMENT)(folder)
    (folder / "runs" / "exp").mkdir(parents=True)


def nothing(folder: Path) -> None:
    """No file of its own."""


def debye_called_e_angstrom(folder: Path) -> None:
    """Dipoles in debye in a file that says e*angstrom."""
    from atomloom.data import Dataset
    from atomloom.writers import write

    made = arrays(E=None)
    charges = np.tile([-0.8, 0.4, 0.4], (10, 1))
    dipoles = 4.803204712 * np.einsum("fa,fax->fx", charges, made["R"])
    write(Dataset.from_arrays({**made, "mono": charges, "D": dipoles}), folder / "it.npz")


class Case(NamedTuple):
    """A bad input: how it is made, the command, and what stands in the message."""

    name: str
    make: Callable[[Path], Any]
    command: str
    says: str


CASES = (
    Case("unknown path", nothing, "inspect goood.npz", "there is no such file. Did you mean good.npz"),
    Case("unknown folder", nothing, "inspect nowhere/it.npz", "there is no folder 'nowhere'"),
    Case("pattern without a match", nothing, "inspect 'x*.npz'", "no file matches it"),
    Case("empty file", text("it.npz", ""), "inspect it.npz", "the file is empty (0 bytes)"),
    Case("truncated zip", truncated, "inspect it.npz", "damaged or truncated zip archive"),
    Case("wrong extension", text("it.npz", "hello"), "inspect it.npz", "neither a numpy array nor an archive"),
    Case("unknown kind of file", text("it.csv", "a,b"), "inspect it.csv", "no installed reader knows this kind"),
    Case("unknown reader", nothing, "inspect good.npz --reader npx", "Did you mean 'npz'"),
    Case("zero frames", npz(R=np.zeros((0, 3, 3)), Z=None, E=None), "inspect it.npz", "it has no frames"),
    Case("NaN position", npz(R=positions(np.nan)), "inspect it.npz", "NaN or infinite in 1 of 10 frames (3)"),
    Case("infinite position", npz(R=positions(np.inf)), "inspect it.npz", "NaN or infinite in 1 of 10 frames (3)"),
    Case(
        "fewer Z than R", npz(Z=np.tile([8, 1, 1], (7, 1))), "inspect it.npz", "it has 7 rows and there are 10 frames"
    ),
    Case("fewer E than R", npz(E=np.zeros(7)), "inspect it.npz", "it has 7 rows and there are 10"),
    Case("Z of other atoms", npz(Z=np.tile([8, 1], (10, 1))), "inspect it.npz", "it has 2 atoms a frame and others"),
    Case("N above the arrays", npz(N=np.full(10, 5)), "inspect it.npz", "N of frame 0 is 5"),
    Case("negative Z", npz(Z=np.tile([-8, -1, -1], (10, 1))), "inspect it.npz", "frame 0 holds -8"),
    Case("no atoms at all", npz(Z=np.zeros((10, 3), int)), "inspect it.npz", "Z is 0 throughout frame 0"),
    Case("NaN energy", npz(E=np.where(np.arange(10) == 4, np.nan, -76.0)), "inspect it.npz", "1 of 10 frames (4)"),
    Case("name that is a path", text("exp.toml", EXPERIMENT), "run exp.toml --name ../x", "not the name of a folder"),
    Case("hole in Z", npz(Z=np.tile([8, 0, 1], (10, 1))), "inspect it.npz", "between others"),
    Case("two names of one field", npz(coords=positions(0.0)), "inspect it.npz", "both 'R' and 'coords' stand for it"),
    Case(
        "size of two meanings",
        npz(Q=np.zeros((10, 1)), R=np.zeros((10, 1, 3)), Z=np.full((10, 1), 2)),
        "inspect it.npz",
        "--as Q=total_charge or --as Q=mono",
    ),
    Case("unit not understood", nothing, "inspect good.npz --unit E=foo", "no unit is called 'foo'"),
    Case("unit of another kind", nothing, "inspect good.npz --unit E=nm", "'nm' is a length and 'eV' is an energy"),
    Case("unit that nothing settles", nothing, "convert good.npz out.npz", "in which unit"),
    Case("unknown meaning", nothing, "inspect good.npz --as E=Zzz", "no installed plugin brings it"),
    Case("meaning of another shape", nothing, "inspect good.npz --as E=F", "its shape is"),
    Case("option not of the form", nothing, "inspect good.npz --unit E", "not of the form NAME=VALUE"),
    Case("target exists", nothing, "convert good.npz good.npz", "it exists"),
    Case("target without folder", nothing, f"convert good.npz no/out.npz {UNITS}", "no folder 'no'"),
    Case("target of unknown kind", nothing, "convert good.npz out.foo", "no writer knows this kind"),
    Case("nothing left to write", nothing, f"convert good.npz out.npz {UNITS} --where 'E > 1e9'", "no frame is left"),
    Case("condition not understood", nothing, f"convert good.npz out.npz {UNITS} --where import", "not a comparison"),
    Case("frames that are not there", nothing, f"convert good.npz out.npz {UNITS} --take 99", "there are 10"),
    Case("unknown key", text("exp.toml", EXPERIMENT + "num_epoch = 3\n"), "run exp.toml", "exp.toml:9"),
    Case("key of the wrong type", text("exp.toml", EXPERIMENT.replace("= 3", '= "3"')), "run exp.toml", "exp.toml:8"),
    Case("not TOML", text("exp.toml", "[data"), "run exp.toml", "exp.toml"),
    Case("empty experiment", text("exp.toml", ""), "run exp.toml", "exp.toml"),
    Case("missing experiment", nothing, "run exp.toml", "exp.toml"),
    Case(
        "unknown model", text("exp.toml", EXPERIMENT.replace("ridge", "rigde")), "run exp.toml", "Did you mean 'ridge'"
    ),
    Case(
        "loss that nothing predicts", nothing, f"train ridge --data good.npz {UNITS} --loss forces=1", "it compares F"
    ),
    Case("unknown loss", nothing, f"train ridge --data good.npz {UNITS} --loss enrgy=1", "Did you mean 'energy'"),
    Case("missing label", npz(E=None), "train ridge --data it.npz --unit R=angstrom", "energy: "),
    Case("NaN label", npz(E=np.full(10, np.nan)), f"train ridge --data it.npz {UNITS}", "NaN or infinite"),
    Case("too few frames to split", nothing, f"train ridge --data one.npz {UNITS}", "leave none for"),
    Case("run that exists", taken_run, "run exp.toml", "next free name, exp-2"),
    Case(
        "dipoles off by a unit factor",
        debye_called_e_angstrom,
        "inspect it.npz",
        "the source says e*angstrom, and physics speaks for debye",
    ),
    Case(
        "impossible multiplicity",
        npz(charge=np.zeros(10), mult=np.full(10, 2)),
        "inspect it.npz",
        "frame 0 of charge 0 has 10 electrons and multiplicity 2",
    ),
    Case(
        "frames above every bucket",
        text("exp.toml", EXPERIMENT),
        "plan exp.toml --set batching.buckets=[2]",
        "the largest bucket holds 2",
    ),
    Case(
        "frames above the packing budget",
        text("exp.toml", EXPERIMENT),
        "plan exp.toml --set batching.atoms=2",
        "the budget is 2",
    ),
    Case(
        "frames above the padded size",
        text("exp.toml", EXPERIMENT),
        "run exp.toml --set batching.num_atoms=2",
        "num_atoms is 2",
    ),
    Case("unknown run", nothing, "resume nothing", "neither in 'runs' nor the folder of a run"),
    Case("unknown command", nothing, "inspekt good.npz", "Did you mean 'inspect'"),
    Case("unknown option", nothing, "inspect good.npz --foo", "no such option"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a good file and one of a single frame."""
    np.savez(tmp_path / "good.npz", **arrays())
    np.savez(tmp_path / "one.npz", **{name: values[:1] for name, values in arrays().items()})
    return tmp_path


def atomloom(folder: Path, command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``atomloom`` as a shell would."""
    line = f'"{sys.executable}" -m atomloom {command}'
    environment = {**os.environ, "ATOMLOOM_BLOCK": "", "COLUMNS": "200"}
    return subprocess.run(
        line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False, **options
    )


def listing(folder: Path) -> dict[str, int]:
    """Every file below, hidden ones too, with its size."""
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_is_told_in_three_parts_and_leaves_nothing(case: Case, folder: Path) -> None:
    """One paragraph "Cannot <asked>: <found>. <todo>." on stderr, exit code 2, and the folder as it was."""
    case.make(folder)
    before = listing(folder)
    done = atomloom(folder, case.command)
    assert done.returncode == 2, done.stderr or done.stdout
    assert done.stderr.startswith("atomloom: Cannot ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert ": " in done.stderr.removeprefix("atomloom: ")
    assert done.stderr.rstrip()[-1] in ".?"
    assert case.says in done.stderr
    assert listing(folder) == before


@pytest.mark.parametrize("command", [f"convert good.npz /dev/full {UNITS} --to npz --overwrite"])
def test_a_full_disk_is_told(command: str, folder: Path) -> None:
    """A target that cannot be written is an error of the same form."""
    done = atomloom(folder, command)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("atomloom: Cannot ")


@pytest.mark.parametrize(
    "command", [f"convert good.npz big.npz {UNITS}", f"train ridge --data good.npz {UNITS} --num-epochs 2"]
)
def test_a_disk_that_fills_up_leaves_nothing(command: str, folder: Path) -> None:
    """When a file cannot grow, nothing of it stays."""
    before = listing(folder)
    limited = atomloom(folder, command, preexec_fn=_no_file_above_one_kilobyte)
    assert limited.returncode == 2, limited.stderr
    assert limited.stderr.startswith("atomloom: Cannot ")
    assert [name for name in listing(folder) if ".atomloom-" in name] == []
    assert {name: size for name, size in listing(folder).items() if not name.startswith("runs")} == before


def _no_file_above_one_kilobyte() -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
