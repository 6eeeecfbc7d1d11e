"""The hooks: their documentation is true, and both ways to write a plugin are worth the same."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

import atomloom
from atomloom.plugin import Plugin
from atomloom.registry import KINDS, Found, Registry
from atomloom.registry.implementations import specifications

HOOKS = list(specifications())


@pytest.fixture
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The example in the documentation of a hook, run as the module `example`."""
    module = ModuleType("example")
    documentation = inspect.getdoc(specifications()[request.param]) or ""
    exec(textwrap.dedent(documentation.split("Example::\n")[1]), vars(module))
    monkeypatch.setitem(sys.modules, "example", module)
    return module


def registered(module: Any) -> Registry:
    """The registry with the example as its only plugin."""
    made = Registry(found=[Found("mine", target=module)])
    assert made.plugins[0].status == "loaded", made.plugins[0].problems
    return made


def only(module: Any, kind: str) -> Any:
    """The one contribution of an example."""
    (contribution,) = registered(module).all(kind)
    return contribution


@pytest.mark.parametrize("example", HOOKS, indirect=True, ids=str)
def test_every_hook_documents_a_plugin_that_loads(example: Any) -> None:
    """The example of each hook is a whole plugin: it brings one thing, and what it points to can be imported."""
    made = registered(example)
    for contribution in [each for kind in KINDS for each in made.all(kind)]:
        if contribution.kind != "fields":
            assert contribution.load() is not None
    assert len(made.implementations) == 1


@pytest.mark.parametrize("hook", HOOKS)
def test_plugin_has_every_hook(hook: str) -> None:
    """`Plugin` has a method for each hook, with the arguments and the return type of its specification."""
    method, specified = inspect.signature(getattr(Plugin, hook)), inspect.signature(specifications()[hook])
    assert list(method.parameters)[1:] == list(specified.parameters)
    assert method.return_annotation == specified.return_annotation


def test_each_kind_has_its_hook() -> None:
    """The registration hooks are those of the kinds, and the others are the three observers."""
    observers = {"atomloom_run_started", "atomloom_steps_finished", "atomloom_run_finished"}
    assert set(HOOKS) == {f"atomloom_{kind}" for kind in KINDS} | observers


@pytest.mark.parametrize("example", ["atomloom_fields"], indirect=True)
def test_field_example(example: Any) -> None:
    """The example brings a field with an axis per atom."""
    assert only(example, "fields").spec.ragged == "atom"


@pytest.mark.parametrize("example", ["atomloom_readers"], indirect=True)
def test_reader_example(example: Any, tmp_path: Path) -> None:
    """The example reads its format, and is suggested for it."""
    path = tmp_path / "a.ENERGIES"
    path.write_text("-1.5\n-2.0\n")
    assert only(example, "readers").load()(path)["E"].tolist() == [-1.5, -2.0]
    assert registered(example).sniff(path)[0].contribution.spec.name == "energies"


@pytest.mark.parametrize("example", ["atomloom_writers"], indirect=True)
def test_writer_example(example: Any, tmp_path: Path) -> None:
    """The example writes one line a frame."""
    only(example, "writers").load()(atomloom.Dataset.from_arrays({"E": [-1.5, -2.0]}), tmp_path / "a")
    assert (tmp_path / "a").read_text() == "-1.5\n-2.0\n"


@pytest.mark.parametrize("example", ["atomloom_harmonizers"], indirect=True)
def test_harmonizer_example(example: Any) -> None:
    """The example gives charges to the data set that documents them, says so, and leaves others alone."""
    rule = only(example, "harmonizers").load()
    plain = atomloom.Dataset.from_frames([{"Z": [1, 1]}])
    given, findings = rule(plain.with_meta(source="qm9.npz"), choices=None)
    assert given["total_charge"].tolist() == [0.0]
    assert findings[0].rule == "documented dialect"
    assert rule(plain, choices=None) == (plain, [])


@pytest.mark.parametrize("example", ["atomloom_models"], indirect=True)
def test_model_example(example: Any, tmp_path: Path) -> None:
    """The example fits in a run, which keeps its state, and predicts for every slot of a batch."""
    model = only(example, "models").load()()
    run = atomloom.Run.create(tmp_path / "run", {}, {})
    data = SimpleNamespace(train=atomloom.Dataset.from_arrays({"E": [1.0, 3.0]}))
    state = model.fit(model.init(None, None, 0), data, (), run)
    assert model.predict(state, {"frame_mask": np.ones(2, dtype=bool)}) == {"E": [2.0, 2.0]}
    checkpoint = run.latest()
    assert checkpoint is not None
    assert checkpoint.leaves["mean"] == 2.0


@pytest.mark.parametrize("example", ["atomloom_losses"], indirect=True)
def test_loss_example(example: Any) -> None:
    """The example is zero at the truth and counts the frames of weight 1."""
    loss = only(example, "losses").load()
    truth = {"E": np.array([1.0, 2.0])}
    total, count = loss(truth, truth, np.array([1.0, 0.0]), None)
    assert (total.sum(), count.sum()) == (0.0, 1.0)


@pytest.mark.parametrize("example", ["atomloom_postprocessors"], indirect=True)
def test_postprocessor_example(example: Any) -> None:
    """The example reports on the data set that it is given."""
    report = only(example, "postprocessors").load()(None, atomloom.Dataset.from_arrays({"E": [1.0]}))
    assert report.title == "1 frames"


@pytest.mark.parametrize("example", ["atomloom_backends"], indirect=True)
def test_backend_example(example: Any) -> None:
    """The example is a backend, and lists its devices."""
    found = only(example, "backends")
    assert isinstance(found.load(), atomloom.Backend)
    assert atomloom.registry.resolve(found.spec.devices)() == ["armchair"]


@pytest.mark.parametrize("example", ["atomloom_commands"], indirect=True)
def test_command_example(example: Any) -> None:
    """The example is a click command."""
    command = only(example, "commands").load()
    assert isinstance(command, click.Command)
    assert CliRunner().invoke(command, ["you"]).output == "Hello you\n"


@pytest.mark.parametrize("example", ["atomloom_demos"], indirect=True)
def test_demo_example(example: Any, tmp_path: Path) -> None:
    """The example works in the folder that it is given, and reports."""
    assert isinstance(only(example, "demos").load()(tmp_path), atomloom.Report)
    assert [path.name for path in tmp_path.iterdir()] == ["nothing.txt"]


@pytest.mark.parametrize("example", ["atomloom_renderers"], indirect=True)
def test_renderer_example(example: Any, tmp_path: Path) -> None:
    """The example writes its file and says where."""
    found = only(example, "renderers")
    target = found.load()(atomloom.Report("A title"), tmp_path)
    assert (target.suffix, target.read_text()) == (found.spec.suffix, "A title")


RUN = SimpleNamespace(folder=Path("runs/water"))


@pytest.mark.parametrize(
    ("example", "seen"),
    [
        ("atomloom_run_started", {"started": ["water"]}),
        ("atomloom_steps_finished", {"steps": [2]}),
        ("atomloom_run_finished", {"outcomes": ["water finished"]}),
    ],
    indirect=["example"],
)
def test_observer_examples(example: Any, seen: dict[str, Any]) -> None:
    """The examples see what happens in a run, and take only the arguments that they want."""
    observers: Any = registered(example).observers()
    observers.run_started(RUN)
    observers.steps_finished(RUN, {"loss": np.zeros(2)})
    observers.run_finished(RUN, "finished")
    assert {name: getattr(example, name) for name in seen} == seen


def test_flat_surface_is_complete() -> None:
    """Every name in `atomloom.__all__` is there, and stays what it is whatever submodule is imported."""
    assert all(hasattr(atomloom, name) for name in atomloom.__all__)
    import_module("atomloom.harmonizing")
    assert callable(atomloom.harmonize)
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", atomloom.__version__)


def test_unknown_public_name() -> None:
    """A name that is not there is an AttributeError, as for any module."""
    with pytest.raises(AttributeError, match="no attribute 'reed'"):
        atomloom.reed  # type: ignore[attr-defined]  # noqa: B018
