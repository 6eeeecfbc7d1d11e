"""NPZ and NPY: what is written comes back, other programs can read it, and failing leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomloom import DataError, Dataset, Field, UnitError, harmonize, read
from atomloom.data import Packed, Padded, PerFrame
from atomloom.fields import CANONICAL
from atomloom.readers import side_by_side
from atomloom.readers.numpy_files import from_found
from atomloom.specs import UNRESOLVED
from atomloom.writers import write

SIZES = {"xyz": 3, "component": 6, "site": 2}


def values_of(field: Field, lengths: dict[str, list[int]], dtype: str, random: np.random.Generator) -> np.ndarray:
    """Random values of a field, all frames one behind the other."""
    rows = sum(lengths[field.ragged]) if field.ragged else len(next(iter(lengths.values())))
    shape = (rows, *(SIZES[dim] for dim in field.dims if dim not in {"frame", field.ragged}))
    if field.name == "Z":
        return random.integers(1, 90, size=shape)
    if field.dtype == "str":
        return random.choice(["CA", "N", "", "größe"], size=shape)
    if field.dtype in {"int", "bool"}:
        return random.integers(0, 2, size=shape).astype(bool if field.dtype == "bool" else np.int32)
    return random.normal(size=shape).astype("f8" if field.dtype == "float64" else dtype)


def made(names: list[str], lengths: dict[str, list[int]], dtype: str, seed: int = 0) -> Dataset:
    """A harmonised data set of these fields."""
    random = np.random.default_rng(seed)
    fields = {name: field for name in names for field in CANONICAL if field.name == name}
    arrays = {name: values_of(field, lengths, dtype, random) for name, field in fields.items()}
    if "N" in arrays:
        arrays["N"] = np.array(lengths["atom"])
    if "n_grid" in arrays:
        arrays["n_grid"] = np.array(lengths["grid"])
    return Dataset.from_arrays(arrays, lengths=lengths)


def equal(one: Dataset, other: Dataset, names: list[str]) -> None:
    """Asserts that both hold the same fields, bit for bit, type for type."""
    assert len(one) == len(other)
    for name in names:
        np.testing.assert_array_equal(one[name], other[name])
        assert one[name].dtype == other[name].dtype
        assert one.fields[name].dims == other.fields[name].dims
        assert one.fields[name].unit == other.fields[name].unit
    for axis, lengths in one.sizes.items():
        np.testing.assert_array_equal(lengths, other.sizes[axis])


DERIVED = {"gradient", "unpaired_electrons"}
"""Fields that harmonising turns into others."""

ALL_NAMES = [field.name for field in CANONICAL if field.name not in DERIVED]
AXES = sorted({field.ragged for field in CANONICAL if field.ragged})


@given(
    names=st.lists(st.sampled_from(ALL_NAMES), min_size=1, unique=True),
    sizes=st.lists(st.tuples(*[st.integers(0, 4)] * len(AXES)), min_size=1, max_size=5),
    dtype=st.sampled_from(["<f4", "<f8", ">f4", ">f8"]),
    compress=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[str],
    sizes: list[tuple[int, ...]],
    dtype: str,
    compress: bool,
    seed: int,
) -> None:
    """Any fields of any lengths come back with their axes, units and precision, without a question or a choice."""
    lengths = {axis: [size[place] for size in sizes] for place, axis in enumerate(AXES)}
    dataset = made(names, lengths, dtype, seed)
    path = tmp_path_factory.mktemp("npz") / "it.npz"
    write(dataset, path, compress=compress)
    back = read(path)
    assert set(back.columns) == set(dataset.columns)
    equal(dataset, back, names)
    if not {"Z", "total_charge"} <= set(names):  # random ones contradict each other
        equal(dataset, harmonize(back)[0], names)


def test_meta_comes_back(tmp_path: Path) -> None:
    """What JSON can say of `meta` is kept; numpy values become plain, keys text."""
    meta = {"theory": "HF", "level": np.float64(2.5), "ids": {np.int64(3): "ALA"}, "list": (1, np.array([2, 3]))}
    dataset = Dataset.from_frames([{"E": 1.0}], {**meta, "path": Path("x"), "nothing": None})
    write(dataset, tmp_path / "it.npz")
    back = read(tmp_path / "it.npz").meta
    assert {key: back[key] for key in ("theory", "level", "ids", "list", "path", "nothing")} == {
        "theory": "HF",
        "level": 2.5,
        "ids": {"3": "ALA"},
        "list": [1, [2, 3]],
        "path": "x",
        "nothing": None,
    }
    assert (back["source"], back["reader"]) == ("it.npz", "npz")


def test_another_program_reads_it(tmp_path: Path) -> None:
    """`numpy.load` without pickles finds padded arrays and the number of atoms of each frame."""
    dataset = made(["Z", "R", "E", "resname"], {"atom": [2, 0, 3]}, "<f4")
    write(dataset, tmp_path / "it.npz")
    with np.load(tmp_path / "it.npz", allow_pickle=False) as arrays:
        assert set(arrays.files) == {"Z", "R", "E", "resname", "N", "atomloom"}
        assert arrays["R"].shape == (3, 3, 3)
        assert arrays["N"].tolist() == [2, 0, 3]
        assert not arrays["R"][1].any()
        np.testing.assert_array_equal(arrays["R"][2], dataset.take([2])["R"])
        units = json.loads(str(arrays["atomloom"]))["fields"]
        assert units["R"] == {"dims": ["frame", "atom", "xyz"], "unit": "angstrom"}


def test_fields_that_are_not_harmonised_are_kept(tmp_path: Path) -> None:
    """Unknown columns, ragged ones too, come back under their names with their lengths."""
    columns = {"foo": Packed(np.arange(5.0), np.array([2, 3])), "n_foo": PerFrame(np.array([7, 8]))}
    dataset = Dataset(columns, {name: Field(name=name) for name in columns})
    write(dataset, tmp_path / "it.npz")
    back = read(tmp_path / "it.npz")
    assert list(back.columns) == ["foo", "n_foo"]
    assert back.take([1])["foo"].tolist() == [2.0, 3.0, 4.0]
    assert back["n_foo"].tolist() == [7, 8]


def test_a_field_that_contradicts_the_lengths_is_not_taken_for_them(tmp_path: Path) -> None:
    """A wrong N in the data does not change which atoms are read back."""
    dataset = made(["Z"], {"atom": [1, 3]}, "<f8")
    wrong = dataset.with_columns({"N": PerFrame(np.array([3, 1]))}, {"N": Field(name="N", dims=("frame",))})
    write(wrong, tmp_path / "it.npz")
    back = read(tmp_path / "it.npz")
    assert back.sizes["atom"].tolist() == [1, 3]
    assert back["N"].tolist() == [3, 1]


def test_writing_needs_little_memory(tmp_path: Path) -> None:
    """A data set is written block by block: the peak is far below its size."""
    frames = 40_000

    class Made:
        shape, dtype = (frames, 50, 3), np.dtype(np.float64)

        def __len__(self) -> int:
            return frames

        def __getitem__(self, key: Any, /) -> np.ndarray:
            return np.ones((len(np.arange(frames)[key]), 50, 3))

    field = Field(name="R", dims=("frame", "atom", "xyz"), unit="angstrom")
    lengths = np.full(frames, 49)
    dataset = Dataset({"R": Padded(PerFrame(Made()), lengths)}, {"R": field})
    tracemalloc.start()
    write(dataset, tmp_path / "it.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = (tmp_path / "it.npz").stat().st_size
    assert size > 45_000_000
    assert peak < size / 2
    assert read(tmp_path / "it.npz").take([frames - 1])["R"].tolist() == [[1.0] * 3] * 49


class Broken:
    """Rows that cannot be read to their end."""

    shape, dtype = (10, 3), np.dtype(np.float64)

    def __len__(self) -> int:
        return 10

    def __getitem__(self, key: Any, /) -> np.ndarray:
        raise DataError("read it", "it is broken", "Mend it")


@pytest.mark.parametrize("existing", [b"", b"what was there"])
def test_a_writer_that_fails_leaves_everything_as_it_was(tmp_path: Path, existing: bytes) -> None:
    """An error half-way leaves no file, and a file that was there untouched."""
    target = tmp_path / "it.npz"
    if existing:
        target.write_bytes(existing)
    dataset = Dataset({"D": PerFrame(Broken())}, {"D": Field(name="D", dims=("frame", "xyz"))})
    with pytest.raises(DataError, match="broken"):
        write(dataset, target, overwrite=True)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == (
        [("it.npz", existing)] if existing else []
    )


def test_a_killed_writer_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    """A process killed while it writes leaves nothing under the name, and the next writer cleans up after it."""
    code = (
        "import numpy as np, time; from atomloom import Dataset, Field; from atomloom.data import PerFrame\n"
        "from atomloom.writers import write\n"
        "class Slow:\n"
        "    shape, dtype = (10**7, 3), np.dtype(float)\n"
        "    def __len__(self): return 10**7\n"
        "    def __getitem__(self, key): print('reading', flush=True); time.sleep(60)\n"
        "fields = {'D': Field(name='D', dims=('frame', 'xyz'))}\n"
        "write(Dataset({'D': PerFrame(Slow())}, fields), 'it.npz')\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "it.npz").exists()
    write(made(["E"], {"frame": [0]}, "<f8"), tmp_path / "other.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["other.npz"]


@pytest.mark.parametrize(
    ("field", "column", "error", "found"),
    [
        (Field(name="E", dims=("frame",), unit=UNRESOLVED), np.zeros(2), UnitError, "in which unit E is held"),
        (Field(name="E"), np.array([None, 1]), DataError, "its values are Python objects"),
        (Field(name="atomloom"), np.zeros(2), DataError, "that name is taken by the description"),
    ],
)
def test_what_an_npz_cannot_say_is_refused(
    tmp_path: Path, field: Field, column: np.ndarray, error: type[Exception], found: str
) -> None:
    """A field that could not be read back is an error before anything is written."""
    dataset = Dataset({field.name: PerFrame(column)}, {field.name: field})
    with pytest.raises(error) as raised:
        write(dataset, tmp_path / "it.npz")
    assert found in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def edited(change: Callable[[dict[str, Any]], Any], folder: Path) -> Path:
    """A file of ours whose description was changed afterwards."""
    write(made(["Z", "E"], {"atom": [1, 3]}, "<f8"), folder / "it.npz")
    with np.load(folder / "it.npz") as arrays:
        held = dict(arrays)
    header = json.loads(str(held["atomloom"]))
    change(header)
    np.savez(folder / "changed.npz", **{**held, "atomloom": np.array(json.dumps(header))})
    return folder / "changed.npz"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda header: header.update(format=2), "it is of format 2, and this atomloom reads format 1"),
        (lambda header: header.update(fields=3), "does not describe its other members"),
        (lambda header: header["fields"].update(E=3), "does not describe its other members"),
        (lambda header: header["fields"].update(X=header["fields"]["E"]), "(KeyError: 'X')"),
        (lambda header: header["fields"]["E"].update(dims=["frame", "xyz"]), "E has 1 axes and not frame x xyz"),
        (lambda header: header.update(lengths={}), "(KeyError: 'atom')"),
        (lambda header: header.update(lengths={"atom": "E"}), "lengths are float64"),
        (lambda header: header.update(meta=3), "does not describe its other members"),
        (lambda header: header.pop("lengths"), "(KeyError: 'lengths')"),
    ],
)
def test_a_description_that_lies_is_told(tmp_path: Path, change: Callable[[Any], Any], found: str) -> None:
    """A description that does not fit its file is an error with the file's name, and never believed in part."""
    with pytest.raises(DataError) as error:
        read(edited(change, tmp_path))
    assert found in str(error.value)
    assert "changed.npz" in str(error.value)


@pytest.mark.parametrize("member", [np.array("not JSON"), np.array("[1]"), np.arange(3.0)])
def test_a_member_of_that_name_by_somebody_else_is_an_array_like_any_other(tmp_path: Path, member: np.ndarray) -> None:
    """Only a description of ours is taken for one."""
    np.savez(tmp_path / "it.npz", E=np.arange(3.0), atomloom=member)
    back = read(tmp_path / "it.npz")
    assert back["E"].tolist() == [0.0, 1.0, 2.0]


def raw(**arrays: Any) -> Dataset:
    """Arrays as the reader lays them out."""
    return from_found({name: np.asarray(values) for name, values in arrays.items()}, {}, {})


@pytest.mark.parametrize(
    ("arrays", "frames"),
    [
        ({"R": np.zeros((4, 2, 3)), "z": [1, 1], "other": np.zeros((7, 7))}, 4),
        ({"R": np.zeros((5, 3)), "N": [2, 3], "E": [0.0, 1.0]}, 2),
        ({"R": np.zeros((5, 3)), "N": [[2], [3]], "E": [0.0, 1.0]}, 2),
        ({"R": np.zeros((5, 3)), "N": [2.0, 3.0], "E": [0.0, 1.0]}, 2),
        ({"R": np.zeros((5, 3)), "z": [1] * 5, "E": 1.0}, 1),
        ({"R": np.zeros((1, 3, 3)), "z": [8, 1, 1], "D": [[0, 0, 1]]}, 1),
        ({"foo": np.zeros((5, 3)), "N": [2, 3], "E": [0.0, 1.0]}, 2),
        ({"E": np.zeros(9), "z": [8, 1, 1]}, 9),
        ({"E": 1.0}, 1),
    ],
)
def test_the_number_of_frames_is_seen_in_the_shapes(arrays: dict[str, Any], frames: int) -> None:
    """Padded, packed, of one molecule or of one frame: the positions and counts tell."""
    assert len(raw(**arrays)) == frames


def test_one_frame_of_three_atoms_keeps_its_fields() -> None:
    """Z, D and E of a single frame are one row each, though three atoms look like three coordinates."""
    dataset, _ = harmonize(raw(R=np.ones((1, 3, 3)), Z=[[8, 1, 1]], D=[[0.0, 0.0, 1.0]], E=[-76.0]))
    assert dataset.take([0]).frame(0)["Z"].tolist() == [8, 1, 1]
    assert dataset["D"].tolist() == [[0.0, 0.0, 1.0]]


def test_packed_frames_of_single_atoms_keep_their_energies() -> None:
    """Where every frame is one atom, the names tell atoms from frames."""
    dataset, _ = harmonize(raw(R=np.ones((2, 3)), Z=[1, 2], N=[1, 1], E=[-13.0, -79.0]))
    assert dataset["E"].tolist() == [-13.0, -79.0]
    assert dataset.take([1])["Z"].tolist() == [2]


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({"R": np.zeros((5, 3)), "N": [2, 2]}, "N adds up to 4 atoms and there are 5 positions"),
        ({"R": np.zeros((5, 3)), "N": [2.5, 2.5]}, "it holds 2.5. Give it whole numbers"),
        ({"R": np.zeros((5, 3)), "N": [np.nan, 5]}, "it holds nan. Give it whole numbers"),
        ({"R": np.zeros((5, 3)), "N": [True, True]}, "it holds True. Give it whole numbers"),
        ({"theory": "HF"}, "it holds no numeric array"),
    ],
)
def test_arrays_that_make_no_frames_are_refused(arrays: dict[str, Any], found: str) -> None:
    """Counts that do not add up, or are none, stop the reader."""
    with pytest.raises(DataError) as error:
        raw(**arrays)
    assert found in str(error.value)


def test_sources_of_the_same_fields_are_not_laid_side_by_side() -> None:
    """Two data sets of equal length whose names differ and whose fields do not are not one."""
    one = raw(R=np.zeros((4, 2, 3)), Z=[1, 1], E=np.zeros(4))
    two = raw(coords=np.zeros((4, 2, 3)), numbers=[1, 1], energy=np.zeros(4))
    forces = raw(forces=np.zeros((4, 2, 3)))
    assert side_by_side([one, two]) is None
    merged = side_by_side([one, forces])
    assert merged is not None
    assert list(merged.columns) == ["R", "Z", "E", "forces"]


def test_model_and_data_of_a_crystal_are_laid_side_by_side() -> None:
    """Both sources have the cell: that of the first counts where they agree, and they are no pair where they do not."""
    cell = np.eye(3)[None] * 20.0
    model = raw(R=np.zeros((1, 2, 3)), cell=cell)
    for scale, same in ((1.001, True), (1.1, False)):
        merged = side_by_side([model, raw(F_obs=np.ones((1, 5)), cell=cell * scale)])
        assert (merged is not None) is same
        if merged is not None:
            np.testing.assert_array_equal(merged["cell"], cell)


def test_text_and_objects_go_to_meta(tmp_path: Path) -> None:
    """Single strings, pickled dictionaries and single numbers of unknown name describe the whole file."""
    made = {"theory": "PBE", "aa_to_id": {"ALA": 3}, "temperature": 300.0, "E": np.zeros(4)}
    np.savez(tmp_path / "it.npz", **made)  # type: ignore[arg-type]
    dataset = read(tmp_path / "it.npz")
    assert list(dataset.columns) == ["E"]
    assert dataset.meta["theory"] == "PBE"
    assert dataset.meta["aa_to_id"] == {"ALA": 3}
    assert dataset.meta["temperature"] == 300.0


def test_npy_takes_its_name_from_the_file_or_the_option(tmp_path: Path) -> None:
    """An NPY file is one field, called as the file is unless the option says otherwise."""
    np.save(tmp_path / "forces.npy", np.zeros((4, 2, 3)))
    assert list(read(tmp_path / "forces.npy").columns) == ["forces"]
    assert list(read(tmp_path / "forces.npy", name="F").columns) == ["F"]
