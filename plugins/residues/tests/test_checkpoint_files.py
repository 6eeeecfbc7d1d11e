"""Checkpoints of every kind come back leaf by leaf, bit for bit, and nothing in them runs."""

from __future__ import annotations

import collections
import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save_file

from atomloom.errors import DataError
from atomloom_residues import read_tree
from atomloom_residues.trees import leaf_name

LEAVES = {"Dense_0": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.array([1.5, -0.0])}}
SHARED = Path(os.environ.get("ATOMLOOM_SHARED_DATA", Path(__file__).parents[3].parent / "shared" / "data"))


def by_name(path: Path, entry: str = "") -> dict[str, np.ndarray]:
    """The leaves of a file by their joined names."""
    tree = read_tree(path, entry)
    return {leaf_name(key): tree[key] for key in tree}


class Adam(NamedTuple):
    """As optax' states are."""

    count: Any
    mu: Any


def as_pickle(path: Path) -> None:
    """A trainer's state with a named tuple that nobody can import."""
    sys.modules["foreign"] = module = types.ModuleType("foreign")
    module.Adam = Adam  # type: ignore[attr-defined]
    old, Adam.__module__ = Adam.__module__, "foreign"
    try:
        state = {"trainer_state": {"params": LEAVES, "opt_state": Adam(3, LEAVES)}, "epoch": 7}
        path.write_bytes(pickle.dumps(state))
    finally:
        Adam.__module__ = old
        del sys.modules["foreign"]


def as_msgpack(path: Path) -> None:
    """As flax writes it: an extension of type 1 with shape, dtype and bytes."""

    def packed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: packed(held) for key, held in value.items()}
        content = msgspec.msgpack.encode((value.shape, value.dtype.name, value.tobytes()))
        return msgspec.msgpack.Ext(1, content)

    path.write_bytes(msgspec.msgpack.encode(packed({"params": LEAVES})))


def as_npz(path: Path) -> None:
    """One member for each leaf."""
    np.savez(path, **{f"Dense_0/{name}": leaf for name, leaf in LEAVES["Dense_0"].items()})  # type: ignore[arg-type]


def as_safetensors(path: Path) -> None:
    """The same."""
    save_file({f"Dense_0/{name}": leaf for name, leaf in LEAVES["Dense_0"].items()}, path)


class Torch:
    """Writes the pickle of ``torch.save`` without torch: calls by name, storages by persistent id."""

    def __init__(self) -> None:
        self.storages: dict[str, bytes] = {}

    def tensor(self, values: np.ndarray, *, transposed: bool = False, numel: int | None = None) -> Any:
        """What a tensor becomes."""
        key = str(len(self.storages))
        self.storages[key] = values.tobytes()
        shape = values.T.shape if transposed else values.shape
        strides = [size // values.itemsize for size in (values.T if transposed else values).strides]
        kind = {"float32": "FloatStorage", "float64": "DoubleStorage", "int64": "LongStorage"}[values.dtype.name]
        return _Call(_Storage(kind, key, values.size if numel is None else numel), 0, shape, tuple(strides))

    def write(self, path: Path, value: Any) -> None:
        """The archive."""
        stream = io.BytesIO()
        _Pickler(stream, protocol=2).dump(value)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", stream.getvalue())
            for key, raw in self.storages.items():
                archive.writestr(f"model/data/{key}", raw)


class _Storage(NamedTuple):
    kind: str
    key: str
    numel: int


class _Call:
    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __reduce__(self) -> Any:
        storage, *rest = self.parts
        return _named("torch._utils", "_rebuild_tensor_v2"), (storage, *rest, False, collections.OrderedDict())


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, _Storage):
            return ("storage", _named("torch", value.kind), value.key, "cpu", value.numel)
        return None


def _named(module: str, name: str) -> Any:
    """A function of this name in a module that exists for the pickler alone."""
    for parent in ("torch", module):
        made = sys.modules.setdefault(parent, types.ModuleType(parent))
    if not hasattr(made, name):
        function = types.FunctionType((lambda *_: None).__code__, {}, name)
        function.__module__, function.__qualname__ = module, name
        setattr(made, name, function)
    return getattr(made, name)


@pytest.fixture(autouse=True)
def _no_foreign_modules() -> Any:
    yield
    for name in ("torch", "torch._utils"):
        sys.modules.pop(name, None)


def as_torch(path: Path) -> None:
    """A state dict under the usual key, one tensor a transposed view."""
    torch = Torch()
    kernel = torch.tensor(np.ascontiguousarray(LEAVES["Dense_0"]["kernel"].T), transposed=True)
    state = collections.OrderedDict({"Dense_0": {"kernel": kernel, "bias": torch.tensor(LEAVES["Dense_0"]["bias"])}})
    torch.write(path, {"epoch": 3, "model_state_dict": state})


KINDS: dict[str, Callable[[Path], None]] = {
    "state.pkl": as_pickle,
    "state.msgpack": as_msgpack,
    "state.npz": as_npz,
    "state.safetensors": as_safetensors,
    "state.pt": as_torch,
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_gives_the_same_leaves(name: str, tmp_path: Path) -> None:
    """Parameters alone, without what the trainer keeps beside them, in their dtypes and to the last bit."""
    KINDS[name](tmp_path / name)
    found = by_name(tmp_path / name)
    assert sorted(found) == ["Dense_0/bias", "Dense_0/kernel"]
    for leaf, expected in LEAVES["Dense_0"].items():
        assert found[f"Dense_0/{leaf}"].dtype == expected.dtype
        assert found[f"Dense_0/{leaf}"].tobytes() == expected.tobytes()


def test_an_entry_can_be_named(tmp_path: Path) -> None:
    """Any part of a trainer's state, places in tuples included."""
    as_pickle(tmp_path / "state.pkl")
    assert sorted(by_name(tmp_path / "state.pkl", "trainer_state/opt_state/1")) == ["Dense_0/bias", "Dense_0/kernel"]
    with pytest.raises(DataError, match=r"there is no 'optimiser' in it, but trainer_state, epoch"):
        read_tree(tmp_path / "state.pkl", "optimiser")


def test_bfloat16_is_widened_exactly(tmp_path: Path) -> None:
    """Its numbers are the upper halves of numbers in float32."""
    exact = np.array([1.0, -2.5, 3.0e38, 0.0], dtype=np.float32)
    bits = (exact.view(np.uint32) >> 16).astype(np.uint16)
    ext = msgspec.msgpack.Ext(1, msgspec.msgpack.encode(((4,), "bfloat16", bits.tobytes())))
    (tmp_path / "state.msgpack").write_bytes(msgspec.msgpack.encode({"w": ext}))
    expected = (bits.astype(np.uint32) << 16).view(np.float32)
    assert by_name(tmp_path / "state.msgpack")["w"].tolist() == expected.tolist()


def test_bfloat16_in_pickles(tmp_path: Path) -> None:
    """The state of an array whose dtype is of ml_dtypes, as numpy pickles it, is understood without that package."""
    content = (
        b"\x80\x04}\x8c\x01wcnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K\x02\x85"
        b"cnumpy\ndtype\ncml_dtypes\nbfloat16\n\x89\x88\x87R(K\x03\x8c\x01<NNNK\x02K\x02K@tb\x89C\x04\x80?\x00\xc0tbs."
    )
    (tmp_path / "state.pkl").write_bytes(content)
    assert by_name(tmp_path / "state.pkl")["w"].tolist() == [1.0, -2.0]


def test_the_old_form_of_torch_says_so(tmp_path: Path) -> None:
    """A sequence of pickles, the first of which is a number."""
    (tmp_path / "old.pt").write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2))
    with pytest.raises(DataError, match=r"it is in the form that torch wrote before version 1\.6"):
        read_tree(tmp_path / "old.pt")


def test_nothing_in_a_pickle_runs(tmp_path: Path) -> None:
    """A call stays a name, also as a parameter: the error shows it."""

    class Evil:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    (tmp_path / "evil.pkl").write_bytes(pickle.dumps({"params": {"w": Evil()}}))
    with pytest.raises(DataError, match=r"'w' is Stub\('posix.system', args=1\)"):
        read_tree(tmp_path / "evil.pkl")
    assert not (tmp_path / "ran").exists()


def test_a_tensor_beyond_its_storage_is_refused(tmp_path: Path) -> None:
    """Strides that reach into other memory are no way to read it."""
    torch = Torch()
    value = torch.tensor(np.ones((2, 2)))
    value.parts = (value.parts[0], 0, (2, 2), (1000, 1))
    torch.write(tmp_path / "bad.pt", {"w": value})
    with pytest.raises(DataError, match=r"reaches beyond its storage of 4 values"):
        read_tree(tmp_path / "bad.pt")


@pytest.mark.parametrize("name", ["state.pkl", "state.msgpack", "state.npz", "state.safetensors", "state.pt"])
def test_what_is_damaged_says_so(name: str, tmp_path: Path) -> None:
    """Half a file is an error that names it, whatever its kind."""
    KINDS[name](tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=name):
        by_name(tmp_path / name)


def test_a_published_pickle_opens() -> None:
    """The parameters of a real haiku model, as its authors published them."""
    path = SHARED / "pickles" / "CG_water_GNN.pkl"
    if not path.exists():
        pytest.skip("the published pickle is not here; ATOMLOOM_SHARED_DATA names the folder that has it")
    found = by_name(path)
    assert len(found) == 146
    assert found["Energy/~/Embedding/Embedding_vect"].shape == (10, 16)
    assert all(np.isfinite(leaf).all() and leaf.dtype == np.float32 for leaf in found.values())


def test_a_safetensors_header_that_lies(tmp_path: Path) -> None:
    """A length beyond the file is refused before memory is asked for."""
    (tmp_path / "bad.safetensors").write_bytes(struct.pack("<Q", 1 << 40) + b"{}")
    with pytest.raises(DataError, match="it is no whole safetensors file"):
        read_tree(tmp_path / "bad.safetensors")


def test_a_real_trainer_state(tmp_path: Path) -> None:
    """What flax, optax and jax put into a pickle, functions by cloudpickle among it, opens without any of them."""
    cloudpickle, optax = pytest.importorskip("cloudpickle"), pytest.importorskip("optax")
    train_state, frozen = pytest.importorskip("flax.training.train_state"), pytest.importorskip("flax.core")
    jnp = pytest.importorskip("jax.numpy")
    params = {"Dense_0": {name: jnp.asarray(leaf, jnp.float32) for name, leaf in LEAVES["Dense_0"].items()}}
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))
    state = train_state.TrainState.create(apply_fn=lambda x: x, params=params, tx=optimiser)
    loose = {"params": frozen.freeze(params), "opt_state": optimiser.init(params), "schedule": lambda step: 0.1}
    for number, held in enumerate(({"trainer_state": loose}, {"trainer_state": state}, state)):
        path = tmp_path / f"state{number}.pkl"
        path.write_bytes(cloudpickle.dumps(held))
        found = by_name(path)
        assert {name: leaf.tolist() for name, leaf in found.items()} == {
            f"Dense_0/{name}": np.asarray(leaf).tolist() for name, leaf in params["Dense_0"].items()
        }
    assert sorted(by_name(tmp_path / "state0.pkl", "trainer_state/opt_state/1/0/1")) == [
        "Dense_0/bias",
        "Dense_0/kernel",
    ]


@pytest.fixture(scope="module")
def by_orbax(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What orbax' manager keeps of two steps."""
    orbax = pytest.importorskip("orbax.checkpoint")
    folder = tmp_path_factory.mktemp("orbax") / "kept"
    manager = orbax.CheckpointManager(folder)
    for step in (100, 300):
        state = {"params": {"layers": [{"w": step * LEAVES["Dense_0"]["kernel"]}]}, "opt_state": {"count": np.array(1)}}
        manager.save(step, args=orbax.args.StandardSave(state))
    manager.wait_until_finished()
    manager.close()
    return folder


def test_orbax_is_read_without_orbax(by_orbax: Path) -> None:
    """The parameters of a step, and the steps as a series; neither orbax nor jax is imported for it."""
    code = (
        "import sys; from atomloom_residues import read_tree; from atomloom_residues.series import find\n"
        "series = find(sys.argv[1]); tree = read_tree(series.files[1])\n"
        "print(series.times.tolist(), series.unit, list(tree), tree[('layers', 0, 'w')].tolist())\n"
        "assert not {'orbax', 'jax'} & set(sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code, str(by_orbax)], capture_output=True, text=True, check=False)
    expected = (300 * LEAVES["Dense_0"]["kernel"]).tolist()
    assert said.stdout.strip() == f"[100.0, 300.0] step [('layers', 0, 'w')] {expected}", said.stderr


def test_an_orbax_folder_that_is_damaged(by_orbax: Path, tmp_path: Path) -> None:
    """Lost arrays, lost metadata and a folder of something else are errors that name it."""
    copied = tmp_path / "100"
    shutil.copytree(by_orbax / "100", copied)
    shutil.rmtree(copied / "default" / "d")
    shutil.rmtree(copied / "default" / "ocdbt.process_0")
    with pytest.raises(DataError, match=r"'params.layers.0.w' is damaged or missing"):
        by_name(copied)
    (copied / "default" / "_METADATA").write_text("{")
    with pytest.raises(DataError, match="its _METADATA is damaged"):
        by_name(copied)
    with pytest.raises(DataError, match="it is no folder that orbax wrote"):
        read_tree(tmp_path)
