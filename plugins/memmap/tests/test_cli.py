"""``atomloom memmap``: what it says and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from atomloom import Dataset
from atomloom.cli.frame import atomloom
from atomloom.readers import read
from atomloom.writers import write
from atomloom_memmap import Store, append_to_store, cache_edges, describing, write_store
from atomloom_memmap.manifest import MAGIC


def run(*arguments: object, code: int = 0) -> str:
    """What a command prints, or how it refuses; stops where it ends otherwise than expected."""
    done = CliRunner().invoke(atomloom, [str(each) for each in arguments])
    assert done.exit_code == code, done.output
    return done.stderr if code == 2 else done.stdout


@pytest.fixture
def source(dataset: Dataset, tmp_path: Path) -> Path:
    """A file of two hundred molecules."""
    write(dataset, tmp_path / "molecules.npz")
    return tmp_path / "molecules.npz"


@pytest.fixture
def packed(source: Path) -> Path:
    """A store of them, made by the command."""
    target = source.parent / "packed"
    run("memmap", "convert", "-i", source, "-o", target)
    return target


def flip(path: Path, byte: int = -1) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)


def test_convert_says_what_it_made(source: Path, dataset: Dataset) -> None:
    """In one line: frames, fields, size, and the size as a multiple of that of the values."""
    target = source.parent / "packed"
    said = run("memmap", "convert", "-i", source, "-o", target)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    ratio = size / Store(target).manifest.payload
    fields = "Z, R, F, E, total_charge, protein_id, esp, N, n_grid"
    assert said == f"200 frames with {fields} are in '{target}': {size / 1e6:.4g} MB, {ratio:.3f} times the values.\n"


@pytest.mark.parametrize("given", [["-i", "a.npz", "b.npz"], ["a.npz", "b.npz"], ["-i", "?.npz"], ["?.npz"]])
def test_sources_may_be_named_in_any_way(
    given: list[str], dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With -i or without, each or as a glob."""
    monkeypatch.chdir(tmp_path)
    write(dataset[:3], "a.npz")
    write(dataset[3:8], "b.npz")
    assert run("memmap", "convert", "-o", "s", *given).startswith("8 frames")
    assert np.array_equal(read("s")["E"], dataset["E"][:8])


def test_a_store_that_is_there_is_replaced_or_added_to_if_asked(source: Path, packed: Path) -> None:
    """And else left alone, with the options told."""
    command = ["memmap", "convert", "-i", source, "-o", packed]
    assert "it exists. Choose another name, or replace it with --overwrite" in run(*command, code=2)
    assert len(Store(packed)) == 200
    assert run(*command, "--append").startswith("400 frames")
    assert run(*command, "--overwrite").startswith("200 frames")
    assert "--append keeps it and --overwrite replaces it" in run(*command, "--append", "--overwrite", code=2)
    said = run("memmap", "convert", "-i", source, "-o", f"{packed}-2", "--append", code=2)
    assert "there is none. Leave out --append to make one" in said


def test_nothing_to_read_is_told(tmp_path: Path) -> None:
    """With the option that names it."""
    assert "there is nothing to read; name it with -i SRC" in run("memmap", "convert", "-o", tmp_path / "s", code=2)


def test_frames_that_are_left_out_are_told(dataset: Dataset, tmp_path: Path) -> None:
    """How many and which, beside the result."""
    bad = {"Z": np.ones((3, 1), dtype=int), "R": np.zeros((3, 1, 3)), "E": np.array([0.0, np.nan, 1.0])}
    write(Dataset.from_arrays(bad), tmp_path / "a.npz")
    said = run("memmap", "convert", tmp_path / "a.npz", "-o", tmp_path / "s", code=2)
    assert "energies are NaN or infinite in 1 of 3 frames (1). Repair these frames, or leave them out" in said
    command = ["memmap", "convert", str(tmp_path / "a.npz"), "-o", str(tmp_path / "s"), "--drop-bad"]
    done = CliRunner().invoke(atomloom, command)
    assert done.stderr == "E: 1 frame with NaN or infinite energies left out (1)\n"
    assert done.stdout.startswith("2 frames with Z, R, E, N are in ")


def test_verify_says_that_a_store_is_whole(packed: Path) -> None:
    """With the bytes that it read, and how fast."""
    told = Store(packed).bytes
    assert run("memmap", "verify", packed).startswith(f"'{packed}' is whole: 200 frames, {told / 1e6:.4g} MB read at ")
    found = json.loads(run("memmap", "verify", packed, "--json"))
    assert (found["bytes"], found["damages"]) == (told, [])


def test_verify_names_every_damage(packed: Path) -> None:
    """Shard, file, field and frames, also of files that are cut short or gone, which keep a store from being opened."""
    shard = packed / "shards/0.0.0"
    flip(shard / "E.npy")
    (shard / "F.npy").unlink()
    size = (shard / "R.npy").stat().st_size
    (shard / "R.npy").write_bytes((shard / "R.npy").read_bytes()[:-8])
    rows = run("memmap", "verify", packed, code=1).splitlines()
    assert rows[0].split(maxsplit=3) == ["shard", "file", "field", "what is damaged"]
    found = {line.split()[2]: line for line in rows[1:]}
    assert set(found) == {"E", "F", "R"}
    assert "shards/0.0.0/E.npy" in found["E"]
    assert "(frames 0 to 199)" in found["E"]
    assert "it is not there" in found["F"]
    assert f"it has {size - 8} bytes, and the manifest says {size}" in found["R"]
    listed = json.loads(run("memmap", "verify", packed, "--json", code=1))["damages"]
    assert [(each["shard"], each["field"]) for each in listed] == [(0, "R"), (0, "F"), (0, "E")]


def test_verify_counts_files_in_stretches(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as its bar is told that there are, and damages at their ends are found."""
    from atomloom_memmap import checksums, shard, stored

    for module in (checksums, stored):
        monkeypatch.setattr(module, "BLOCK", 128)
    for module in (shard, stored):
        monkeypatch.setattr(module, "STRETCH", 512)
    target = tmp_path / "small"
    write_store(dataset, target)
    opened = Store(target)
    steps = [found for each in opened.shards for found in each.verified()]
    assert len(steps) == sum(each.stretches for each in opened.shards) > 40
    assert not any(steps)
    path = target / "shards/0.0.0/R.npy"
    for byte in (0, 511, 512, path.stat().st_size - 1):
        flip(path, byte)
        (damage,) = Store(target).verify()
        assert damage.where.startswith(f"the block of bytes {byte // 128 * 128} to ")
        flip(path, byte)


def test_info_says_what_is_in_a_store(packed: Path) -> None:
    """Fields with units and sizes, sources, level of theory, sizes of frames, and plans that a loader can make."""
    said = run("memmap", "info", packed)
    assert said.startswith("packed: 200 frames in 1 shard of ")
    assert "level of theory: none\nsources: molecules.npz\n" in said
    rows = [line.split() for line in said.splitlines()]
    size = f"{Store(packed).lengths('atom').sum() * 24 / 1e6:.6g}"
    assert ["R", "frame", "atom", "xyz", "angstrom", "float64", size] in rows
    assert ["N", "frame", "counted", "along", "atom", "0"] in rows
    counts = np.bincount(Store(packed).lengths("atom"))
    for atoms in range(1, 8):
        assert [f"{atoms - 0.5:.1f}", "…", f"{atoms + 0.5:.1f}", str(counts[atoms])] in [row[:4] for row in rows]


def test_plans_of_info_are_those_of_a_loader(packed: Path) -> None:
    """What it reckons is what an epoch of such batches has."""
    from atomloom_memmap import PackedMemmapLoader

    plans = json.loads(run("memmap", "info", packed, "--json"))["plans"]
    assert [each["plan"].partition("=")[0] for each in plans] == ["num_atoms", "buckets", "atoms", "atoms"]
    for each in plans:
        how = eval(f"dict({each['plan']})")  # as a person would copy it
        batches = list(PackedMemmapLoader(packed, shuffle=False, names=("Z",)).batches(**how))
        assert len(batches) == each["batches"]
        assert len({batch["Z"].shape for batch in batches}) == each["shapes"]
        for name, mask in (("atoms", "atom_mask"), ("pairs", "pair_mask")):
            slots, real = (sum(int(f(batch[mask])) for batch in batches) for f in (len, np.sum))
            assert each[name] == pytest.approx(1 - real / slots)


def test_info_on_many_frames_looks_at_some(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, the longest frame still fits, and the number of batches is that of all."""
    whole = json.loads(run("memmap", "info", packed, "--json"))
    monkeypatch.setattr(describing, "MOST_FRAMES", 100)
    assert ", counted on 100 frames picked at random:" in run("memmap", "info", packed)
    some = json.loads(run("memmap", "info", packed, "--json"))
    assert [each["planned_frames"] for each in (whole, some)] == [200, 100]
    for one, other in zip(whole["plans"], some["plans"], strict=True):
        assert one["plan"].split(",")[0] == other["plan"].split(",")[0]
        assert other["batches"] == pytest.approx(one["batches"], abs=3)


def test_info_knows_edges_and_leftovers(packed: Path) -> None:
    """The pairs that are kept, what they would waste, and what `prune` would remove."""
    cache_edges(packed, 3.0)
    cache_edges(packed, 2.0, replace=True)
    said = run("memmap", "info", packed)
    pairs = Store(packed).manifest.axes["pair"]
    assert f"edges: {pairs.rows} pairs within 2 angstrom, {pairs.longest} of one frame at the most" in said
    assert "cutoff=2" in said
    found = json.loads(run("memmap", "info", packed, "--json"))
    assert found["unused_bytes"] > 0
    assert f"not used any more: {found['unused_bytes'] / 1e6:.4g} MB, which `atomloom memmap prune` removes" in said
    run("memmap", "prune", packed)
    assert json.loads(run("memmap", "info", packed, "--json"))["unused_bytes"] == 0


def test_info_on_frames_without_atoms(tmp_path: Path) -> None:
    """Has no sizes and no plans to tell."""
    write_store(Dataset.from_arrays({"E": np.zeros(3)}), tmp_path / "s")
    said = run("memmap", "info", tmp_path / "s")
    assert "3 frames in 1 shard" in said
    assert "Plans" not in said


@pytest.mark.parametrize("command", ["info", "verify", "prune"])
def test_what_is_no_store_is_told(command: str, tmp_path: Path) -> None:
    """A folder of something else, nothing at all, or a store that a newer atomloom wrote."""
    (tmp_path / "folder").mkdir()
    assert "it holds no manifest.json" in run("memmap", command, tmp_path / "folder", code=2)
    assert "there is no such folder" in run("memmap", command, tmp_path / "missing", code=2)
    (tmp_path / "folder/manifest.json").write_bytes(MAGIC + b"7, whatever")
    assert "it is of format 7, and this atomloom-memmap reads format 1" in run(
        "memmap", command, tmp_path / "folder", code=2
    )


def test_stores_are_known_by_their_look(packed: Path) -> None:
    """Whatever they are called: by `inspect`, and as a source of another conversion."""
    assert "packed: 200 frames of 1 to 7 atoms, read as memmap" in run("inspect", packed)
    run("convert", packed, packed.parent / "back.npz")
    back, stored = read(packed.parent / "back.npz"), read(packed)
    assert np.array_equal(back["E"], stored["E"])
    assert np.array_equal(back["R"], stored["R"])


def test_the_command_is_light() -> None:
    """Its help imports no numpy."""
    code = (
        "import sys\nfrom atomloom.cli.frame import atomloom\n"
        "try:\n    atomloom(['memmap', 'convert', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'numpy' not in sys.modules and 'xxhash' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_growing_store_tells_all_of_its_sources(packed: Path, dataset: Dataset) -> None:
    """Ten by name, the others by number."""
    for number in range(12):
        origin = {"name": f"{number}.npz", "bytes": 1, "hash": "x"}
        append_to_store(dataset[:1].with_meta(converted_from=[origin]), packed)
    assert "sources: molecules.npz, 0.npz, 1.npz, 2.npz, 3.npz, 4.npz, 5.npz, 6.npz, 7.npz, 8.npz and 3 more" in run(
        "memmap", "info", packed
    )
