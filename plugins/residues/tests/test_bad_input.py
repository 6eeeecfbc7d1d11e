"""What users get wrong: a sentence that says what and where, exit code 2, and nothing half-written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from atomloom.cli.frame import atomloom

FRAMES, BEADS = 6, 5


class Evil:
    """Would make a folder if its pickle were loaded as Python does."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("made-by-a-pickle",)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good reference, good predictions and good checkpoints, and with many that are not."""
    folder = tmp_path_factory.mktemp("bad")
    F = np.random.default_rng(0).normal(size=(FRAMES, BEADS, 3))
    names = np.array(["ALA"] * BEADS)
    one = np.where(np.arange(FRAMES)[:, None, None] == 2, np.nan, F)
    good = {"R": F, "F": F, "resname": names}
    species = {"R": F, "F": F, "species": np.zeros((FRAMES, BEADS), int)}
    contents: dict[str, dict[str, Any]] = {
        "ref": good,
        "pred": {"F": F},
        "no-forces": {"R": F, "resname": names},
        "nan": {"F": one},
        "few": {"F": F[:3]},
        "flat": {"F": F.reshape(-1)},
        "text": {"F": np.full(F.shape, "a")},
        "nameless": {"R": F, "F": F},
        "gap": good | {"mask": np.tile([1, 0, 1, 1, 1], (FRAMES, 1))},
        "none": {"R": F[:0], "F": F[:0], "resname": names},
        "nothing": {"F": F[:0]},
        "counts": good | {"n_atoms": np.full(FRAMES, 9)},
        "words": species | {"aa_to_id": np.array({"ALA": "x"}, dtype=object)},
        "broken": species | {"aa_to_id": np.array("{broken")},
        "evil": species | {"aa_to_id": np.array(Evil(), dtype=object)},
        "two-axes": {"R": F[..., 0], "F": F},
        "mean": good | {"F_mean": one},
    }
    for name, arrays in contents.items():
        np.savez(folder / f"{name}.npz", **arrays)
    (folder / "torn.npz").write_bytes((folder / "ref.npz").read_bytes()[:300])
    (folder / "junk.npz").write_text("hello")
    (folder / "junk.cif").write_text("hello")
    (folder / "empty").mkdir()
    (folder / "kept").mkdir()
    for epoch in (1, 2, 3):
        np.savez(folder / "kept" / f"epoch_{epoch}.npz", w=np.ones(3) * epoch)
    return folder


JUDGE = {
    "no-forces ref": "it has R, resname. Call them F",
    "nan ref": "5 predicted forces are not finite, that of bead 10 first",
    "few ref": "their shape is [3, 5, 3], and the data has 6 frames of up to 5 beads",
    "flat ref": "their shape is [90]",
    "text ref": "the predicted ones are of the type <U1",
    "torn ref": "a damaged or truncated zip archive",
    "junk ref": "neither a numpy array nor an archive of them",
    "missing ref": "there is no such file",
    "pred no-forces": "the data holds R, resname and no F",
    "pred nameless": "the data has no resname, species or Z",
    "pred gap": "its mask has gaps",
    "nothing none": "the 0 frames have no beads",
    "pred none": "the data has 0 frames of up to 0 beads",
    "pred counts": "n_atoms does not say how many of 5 beads each of 6 frames has",
    "pred words": "aa_to_id is {'ALA': 'x'}",
    "pred broken": "aa_to_id is '{broken'",
    "pred evil": "aa_to_id is Stub('posix.mkdir', args=1)",
    "pred two-axes": "R is [6, 5]",
    "pred mean": "5 mean forces are not finite",
    "pred ref --unit furlong": "no unit is called 'furlong'",
    "pred ref --compare nan.npz": "5 predicted forces are not finite",
    "pred ref --prior few.npz": "their shape is [3, 5, 3]",
    "pred ref --structure missing.pdb": "Cannot read the structure 'missing.pdb'",
    "pred ref --structure junk.cif": "Cannot read the structure 'junk.cif'",
    "pred ref --block 0": "0 is not in the range",
}

BUCKET = {
    "missing.npz": "there is no such file",
    "none.npz": "Cannot plan batches from the lengths of frames: there are none",
    "gap.npz": "its mask has gaps",
    "two-axes.npz ref.npz": "R is [6, 5]",
    "ref.npz evil.npz": "aa_to_id is Stub('posix.mkdir', args=1)",
    "ref.npz --bucket-boundaries 5 3": "[5, 3] are not ascending lengths",
    "ref.npz --bucket-boundaries 2 --n-buckets 3": "--bucket-boundaries and --n-buckets exclude each other",
    "ref.npz --no-combine --optimal": "--optimal and --no-combine exclude each other",
    "ref.npz --n-buckets 0": "0 is not in the range",
}

AVERAGE = {
    "missing": "there is no such folder",
    "empty": "it has none. Name a folder with",
    "kept/epoch_1.npz": "there is no such folder",
    "kept --decay 2 --per checkpoint": "2 is not between 0 and 1",
    "kept --sigma-rel 0": "0 is not in the range above 0",
    "kept --validate missing.toml": "there is no file 'missing.toml'",
    "kept --entry params": "it holds no arrays. Name the part that does with --entry",
    "kept --stage other": "0 kinds of names have it: epoch#.npz",
    "kept --last 0": "0 is not in the range",
}

CASES = [
    *(("errors --forces {}.npz --data {}.npz --out out", line, said) for line, said in JUDGE.items()),
    *(("bucket --out out", line, said) for line, said in BUCKET.items()),
    *(("ema --output out.safetensors --checkpoint-dir", line, said) for line, said in AVERAGE.items()),
]


@pytest.mark.parametrize(("command", "line", "said"), CASES, ids=[f"{case[0].split()[0]} {case[1]}" for case in CASES])
def test_bad_input(command: str, line: str, said: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is written."""
    monkeypatch.chdir(files)
    before = sorted(path.name for path in files.iterdir())
    words = line.split()
    placed = command.count("{}")
    arguments = [*command.format(*words[:placed]).split(), *words[placed:]]
    done = CliRunner().invoke(atomloom, ["--quiet", "residues", *arguments])
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.stderr.split())
    assert done.stderr.count("\n") == 1, "one paragraph"
    assert sorted(path.name for path in files.iterdir()) == before
