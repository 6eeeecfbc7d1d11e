"""The registry: finding imports nothing, broken plugins are data, names are answered with help."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import atomloom
from atomloom.errors import AmbiguousName, ConfigError, PluginError, UnknownName
from atomloom.registry import Found, PluginRecord, Registry, catalogue, registry, resolve, use
from atomloom.registry.find import find
from atomloom.specs import Field, LossSpec, Matches, ModelSpec, ReaderSpec, RendererSpec, Spec


def plugin(**hooks: Callable[..., Any]) -> Any:
    """A plugin with these functions as implementations."""
    return SimpleNamespace(api=1, **{name: atomloom.hookimpl(function) for name, function in hooks.items()})


def bringing(*specs: Spec, hook: str = "atomloom_readers") -> Any:
    """A plugin that brings these."""
    return plugin(**{hook: lambda: specs})


def reader(name: str, **more: Any) -> ReaderSpec:
    """A reader that points to something that can be imported."""
    return ReaderSpec(name=name, load="math:pi", **more)


def made(*targets: Any, **options: Any) -> Registry:
    """A registry of plugins called a, b, ... of the distributions atomloom-a, atomloom-b, ..."""
    letters = "abcdefgh"[: len(targets)]
    found = [Found(x, "m", f"loom-{x}", "1.0", target) for x, target in zip(letters, targets, strict=True)]
    return Registry(found=found, **options)


def reasons(target: Any) -> list[str]:
    """What is wrong with a plugin."""
    return [problem.reason for problem in made(target).plugins[0].problems]


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., str]:
    """Makes folders that hold the metadata of distributions, as site-packages does."""

    def make(folder: str, *entries: str, name: str = "loom-x", version: str = "1.0") -> str:
        info = tmp_path / folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nVersion: 9\n")
        info.joinpath("entry_points.txt").write_text("\n".join(["[atomloom]", *entries, ""]))
        return str(tmp_path / folder)

    return make


def test_find_reads_metadata_and_imports_nothing(site: Callable[..., str]) -> None:
    """What a distribution names is found with its version, whether or not it could be imported."""
    path = [site("one", "mine = no.such.module:Plugin")]
    assert find(path)[1:] == (Found("mine", "no.such.module:Plugin", "loom-x", "1.0"),)


def test_core_is_always_found_first() -> None:
    """Core's own plugin is there even where no metadata is installed."""
    assert find([])[0][:2] == ("core", "atomloom.builtin")


def test_first_distribution_on_the_path_counts(site: Callable[..., str]) -> None:
    """Of a distribution that is on the path twice the first counts, as it does for imports."""
    path = [site("one", "new = m", version="2.0"), site("two", "old = m", version="1.0")]
    assert [each.name for each in find(path)[1:]] == ["new"]


def test_shared_names_are_told_apart(site: Callable[..., str]) -> None:
    """Plugins of two distributions that share a name, or take core's, go by their distributions."""
    path = [site("one", "same = m", name="loom-x"), site("two", "same = m", "core = n", name="loom-y")]
    assert [each.name for each in find(path)[1:]] == ["loom-y.core", "loom-x", "loom-y.same"]


def test_find_survives_odd_paths(tmp_path: Path) -> None:
    """Missing folders and files that are no archives are passed over."""
    file = tmp_path / "file.zip"
    file.write_text("no zip")
    assert len(find([str(tmp_path / "missing"), str(file), str(tmp_path)])) == 1


@pytest.mark.parametrize("entries", [b"\xff\xfe\n[atomloom]\nx = m", b"[atomloom]\nno value"])
def test_damaged_metadata_is_a_failed_plugin(tmp_path: Path, entries: bytes) -> None:
    """A distribution whose entry points cannot be read is listed as failed."""
    damaged = tmp_path / "damaged-1.0.dist-info"
    damaged.mkdir()
    damaged.joinpath("entry_points.txt").write_bytes(entries)
    (record,) = Registry(found=find([str(tmp_path)])[1:]).plugins
    assert "damaged entry_points.txt" in record.reason


class Panic(BaseException):
    """What a compiled module may raise that is no Exception."""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def :", "SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise BaseException('panic')", "BaseException: panic"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("", "it declares no api; write `api = 1` into it"),
        ("api = 2", "it was written for api 2, and this atomloom speaks api 1"),
        ("api = True", "it was written for api True, and this atomloom speaks api 1"),
        ("api = '1'", "it was written for api '1', and this atomloom speaks api 1"),
    ],
)
def test_broken_plugin_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, reason: str) -> None:
    """However the import of a plugin fails, it is listed with a reason, and nothing is raised."""
    tmp_path.joinpath("broken_plugin.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_plugin", raising=False)
    (record,) = Registry(found=[Found("broken", "broken_plugin")]).plugins
    assert record.status == "failed"
    assert record.reason.startswith(reason)
    monkeypatch.delitem(sys.modules, "broken_plugin", raising=False)


@pytest.mark.parametrize("reference", ["", "a b", "math:", "math:no_such", "1x:y", "m:a:b", ":x"])
def test_bad_entry_point_is_data(reference: str) -> None:
    """An entry point that points nowhere is a failed plugin."""
    assert Registry(found=[Found("broken", reference)]).plugins[0].status == "failed"


def test_interrupt_is_not_swallowed() -> None:
    """Ctrl-C while a plugin is loaded ends the program."""

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(plugin(atomloom_readers=stop))


def test_one_raising_hook_leaves_the_others() -> None:
    """A plugin with a hook that raises keeps its other contributions and is listed as failed, with a traceback."""

    def broken() -> Iterable[Spec]:
        yield reader("half")
        raise Panic("lost")

    losses = [LossSpec(name="whole", load="math:pi")]
    both = made(plugin(atomloom_readers=broken, atomloom_losses=lambda: losses))
    assert [each.spec.name for each in both.all("losses")] == ["whole"]
    assert both.all("readers") == ()
    assert both.plugins[0].reason == "atomloom_readers: Panic: lost"
    assert "raise Panic" in both.plugins[0].problems[0].traceback


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (None, "TypeError: it returned None, not an iterable of ReaderSpec"),
        ("xyz", "TypeError: it returned a str, not an iterable of ReaderSpec"),
        (reader("x"), "TypeError: it returned one ReaderSpec; return a list of them"),
        (["x"], "it returned a str among what should be ReaderSpec"),
        ([Field(name="x")], "it returned a Field among what should be ReaderSpec"),
        ([reader("x"), reader("x")], "ReaderSpec 'x': it brings two of this name; the first counts"),
        ([ReaderSpec(name="x", load="math.pi")], "its load is 'math.pi', not of the form 'module:attribute'"),
        ([reader("a b")], "its name is 'a b'; use letters, digits and _ . + -"),
        ([reader("a:b")], "its name is 'a:b'; use letters, digits and _ . + -"),
        ([reader("-x")], "its name is '-x'; begin it with a letter"),
        ([reader("")], "its name is ''; begin it with a letter"),
        ([reader("x", provides="E")], "its provides is 'E', not a tuple of strings"),
        ([reader("x", matches="*.x")], "its matches is '*.x', not an atomloom.Matches"),
        ([reader("x", matches=Matches(magic=("PK",)))], "globs and holds are tuples of str, magic a tuple of bytes"),  # type: ignore[arg-type]
        ([reader("x", matches=Matches(holds="a.npy"))], "globs and holds are tuples of str"),  # type: ignore[arg-type]
        ([reader("x", example="nowhere")], "its example is 'nowhere', not of the form 'module:attribute'"),
        ([reader("x", waivers={"slices": " "})], "not a mapping of checks to written reasons"),
        ([reader("x", summary=None)], "its summary is None, not a string"),
    ],
    ids=str,
)
def test_readers_that_are_none(returned: Any, reason: str) -> None:
    """What a hook returns is checked when the plugin is loaded, and what is wrong is said."""
    assert reasons(plugin(atomloom_readers=lambda: returned))[0].startswith("atomloom_readers: ")
    assert reason in reasons(plugin(atomloom_readers=lambda: returned))[0]


@pytest.mark.parametrize(
    ("hook", "spec", "reason"),
    [
        ("fields", Field(name="x", dims=("frame", "atmo")), "its dims hold 'atmo', which is none of atom, component,"),
        ("fields", Field(name="x", dims=("atom",)), "its dims are ('atom',); the first is 'frame'"),
        ("fields", Field(name="x", dtype="f8"), "its dtype is 'f8', which is none of bool, float, float64, int, str"),
        ("models", ModelSpec(name="x", load="a:b", claims=frozenset({"rotaton"})), "its claims hold 'rotaton'"),
        ("models", ModelSpec(name="x", load="a:b", claims=[[]]), "TypeError: unhashable"),  # type: ignore[arg-type]
        ("renderers", RendererSpec(name="x", load="a:b", suffix="html"), "it starts with a full stop"),
    ],
)
def test_specs_that_are_wrong(hook: str, spec: Spec, reason: str) -> None:
    """Words outside the vocabulary of a spec are said with the vocabulary."""
    assert reason in reasons(bringing(spec, hook=f"atomloom_{hook}"))[0]


def test_misspelt_hooks_of_functions() -> None:
    """A marked function that is no hook, and an unmarked one that is, are reported; the rest is kept."""
    target = plugin(atomloom_reader=lambda: [], atomloom_losses=lambda: [LossSpec(name="kept", load="math:pi")])
    target.atomloom_models = lambda: []
    loaded = made(target)
    assert [problem.reason for problem in loaded.plugins[0].problems] == [
        "atomloom_models: it is not marked with @atomloom.hookimpl",
        "there is no hook 'atomloom_reader' (did you mean 'atomloom_readers'?)",
    ]
    assert len(loaded.all("losses")) == 1


def test_implementation_that_cannot_be_called() -> None:
    """An argument that a hook does not give, or a wrapper, is reported and not called."""
    target = plugin(atomloom_readers=lambda config: [], atomloom_losses=lambda config=None: [])
    target.atomloom_models = atomloom.hookimpl(wrapper=True)(lambda: (yield))
    assert reasons(target) == [
        "atomloom_models: wrappers are not called, since implementations are called one by one",
        "atomloom_readers: it takes 'config', which the hook does not give",
    ]


class Typed(atomloom.Plugin):
    """A typed plugin with a slip."""

    api = 1
    helper = 3

    def atomloom_readers(self) -> Iterable[ReaderSpec]:
        """Right."""
        return [reader(self._name())]

    def atomloom_reader(self) -> Iterable[ReaderSpec]:
        """Wrong."""
        return []

    def compute(self) -> None:
        """Public, and no hook."""

    def _name(self) -> str:
        return "typed"


@pytest.mark.parametrize("target", [Typed, Typed()], ids=["class", "instance"])
def test_typed_plugin(target: Any) -> None:
    """The overridden methods of a `Plugin` are its implementations; other public methods count as misspelt hooks."""
    loaded = made(target)
    assert [each.spec.name for each in loaded.all("readers")] == ["typed"]
    assert [each.hook for each in loaded.implementations] == ["atomloom_readers"]
    underscore = "helper methods start with an underscore"
    assert [problem.reason for problem in loaded.plugins[0].problems] == [
        f"there is no hook 'atomloom_reader' (did you mean 'atomloom_readers'?); {underscore}",
        f"there is no hook 'compute'; {underscore}",
    ]


def test_class_of_marked_functions() -> None:
    """A class with marked methods is made an instance of."""

    class Marked:
        api = 1

        @atomloom.hookimpl
        def atomloom_readers(self) -> Iterable[ReaderSpec]:
            return [reader("x")]

    assert made(Marked).get("readers", "x").plugin == "a"


def test_one_object_named_twice() -> None:
    """Two entry points that name the same object: the second is listed as failed."""
    target = bringing(reader("x"))
    assert [each.status for each in made(target, target).plugins] == ["loaded", "failed"]


def test_nearest_names_and_failures_in_not_found() -> None:
    """An unknown name is answered with the nearest names and with every plugin that failed."""
    loaded = made(bringing(reader("extxyz"), reader("npz")), SimpleNamespace(api=7))
    with pytest.raises(UnknownName) as caught:
        loaded.get("readers", "ExtXY")
    assert str(caught.value) == (
        "Cannot find the reader 'ExtXY': no installed plugin brings it; the plugin b (loom-b 1.0) failed: it was "
        "written for api 7, and this atomloom speaks api 1. Did you mean 'extxyz'? `atomloom plugins why b` shows what "
        "is wrong there. `atomloom plugins` lists what is installed."
    )


def test_alias_of_a_field_leads_to_it() -> None:
    """A field that is asked for by an alias is answered with its name."""
    loaded = made(bringing(Field(name="E", aliases=("energy",)), hook="atomloom_fields"))
    with pytest.raises(UnknownName, match="Did you mean 'E'"):
        loaded.get("fields", "energies")


def test_catalogue_names_the_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that one of our distributions would bring is answered with that distribution."""
    monkeypatch.setattr(catalogue, "read", lambda: {"readers": {"cube": "atomloom-formats"}})
    with pytest.raises(UnknownName, match=r"atomloom-formats brings it: `pip install atomloom-formats`"):
        made().get("readers", "cube")


def test_catalogue_is_made_of_our_distributions_only() -> None:
    """Only what atomloom-* distributions bring goes into the catalogue."""
    ours = Found("a", "m", "atomloom-formats", "1.0", bringing(reader("cube")))
    theirs = Found("b", "m", "other", "1.0", bringing(reader("pdb")))
    assert catalogue.made_from(Registry(found=[ours, theirs])) == {"readers": {"cube": "atomloom-formats"}}


def test_two_of_a_name() -> None:
    """Two contributions of one name are legal until the short name is used; the error says how to choose."""
    loaded = made(bringing(reader("xyz")), bringing(reader("xyz")))
    assert [each.whence for each in loaded.all("readers")] == ["a (loom-a 1.0)", "b (loom-b 1.0)"]
    assert loaded.conflicts == ()
    with pytest.raises(AmbiguousName) as caught:
        loaded.get("readers", "xyz")
    assert str(caught.value) == (
        "Cannot choose the reader 'xyz': a (loom-a 1.0) and b (loom-b 1.0) each bring one. "
        "Write 'a:xyz' or 'b:xyz', or block one with `-p no:b` or ATOMLOOM_BLOCK=b."
    )
    assert loaded.get("readers", "b:xyz").plugin == "b"
    assert loaded.get("readers", "Loom_A:xyz").plugin == "a"


@pytest.mark.parametrize("name", ["b", "loom-b", "LOOM_B"])
def test_blocked_plugin(name: str) -> None:
    """A plugin is blocked by its name or its distribution's; it is not imported, and messages say so."""
    found = [Found("a", "m", "loom-a", "1.0", bringing(reader("xyz"))), Found("b", "no.such.module", "loom-b", "1.0")]
    loaded = Registry(found=found, blocked=[name])
    assert [each.status for each in loaded.plugins] == ["loaded", "blocked"]
    with pytest.raises(UnknownName, match=r"the plugin b \(loom-b 1.0\) is blocked"):
        loaded.get("readers", "abc")
    with pytest.raises(UnknownName, match="the plugin 'b' is blocked"):
        loaded.get("readers", "b:xyz")


def test_core_cannot_be_blocked() -> None:
    """Blocking core is refused."""
    with pytest.raises(ConfigError, match="it is atomloom itself"):
        Registry(found=[], blocked=["core"])


def test_environment_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """ATOMLOOM_BLOCK names plugins that are not loaded; a name of none is no error there."""
    monkeypatch.setenv("ATOMLOOM_BLOCK", "nobody, b")
    monkeypatch.setattr("atomloom.registry.loom.find", lambda: [Found("b", "no.such.module")])
    use(None)
    try:
        assert registry().plugins[0].status == "blocked"
    finally:
        use(None)


def test_unknown_plugin_in_a_qualified_name() -> None:
    """`plugin:name` with a plugin that is not there is answered with the nearest plugin."""
    with pytest.raises(UnknownName, match=r"no installed plugin is called 'loom-aa'\. Did you mean 'loom-a'"):
        made(bringing(reader("xyz"))).get("readers", "loom-aa:xyz")


def fields(*declared: Field) -> Any:
    """A plugin with these fields."""
    return bringing(*declared, hook="atomloom_fields")


def test_field_conflict_names_both() -> None:
    """Two plugins that declare one field differently are reported, and using it names both."""
    loaded = made(fields(Field(name="p", unit="GPa")), fields(Field(name="p", unit="kbar")))
    assert [each.message for each in loaded.conflicts] == [
        "a (loom-a 1.0) and b (loom-b 1.0) declare the field 'p' differently: unit 'GPa' and 'kbar'"
    ]
    with pytest.raises(AmbiguousName):
        loaded.get("fields", "p")


def test_equal_fields_are_one() -> None:
    """Two plugins that declare one field alike share it, with the aliases of both."""
    loaded = made(fields(Field(name="p", aliases=("x", "y"))), fields(Field(name="p", aliases=("y", "z"))))
    assert loaded.get("fields", "p").spec.aliases == ("x", "y", "z")
    assert (len(loaded.all("fields")), loaded.conflicts) == (1, ())


def test_core_field_stands() -> None:
    """A plugin that declares a canonical field differently is reported, and core's declaration stands."""
    core = Found("core", target=fields(Field(name="E", unit="eV")))
    loaded = Registry(found=[core, Found("b", target=fields(Field(name="E", unit="kcal/mol")))])
    assert loaded.get("fields", "E").spec.unit == "eV"
    assert len(loaded.conflicts) == 1


def test_unknown_kind_is_an_error_of_the_caller() -> None:
    """A kind that does not exist is refused with those that do."""
    with pytest.raises(ValueError, match="there is no kind 'reader' of contributions; the kinds are fields, readers"):
        made().all("reader")


def test_failing_observer_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """An observer that raises is logged, is not called again, and does not keep the others from being called."""
    seen: list[str] = []

    def broken(run: Any) -> None:
        seen.append("broken")
        raise ValueError("no")

    loaded = made(plugin(atomloom_run_started=broken), plugin(atomloom_run_started=lambda: seen.append("fine")))
    observers: Any = loaded.observers()
    observers.run_started(None)
    observers.run_started(None)
    assert sorted(seen) == ["broken", "fine", "fine"]
    (record,) = (each for each in caplog.records if each.levelname == "WARNING")
    assert "the observer of the plugin a failed and is not called again" in record.getMessage()


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("math.pi", "'math.pi' is not of the form 'module:attribute'"),
        ("no_such_module:x", "there is no module 'no_such_module'"),
        ("math:no_such", "the module 'math' has no 'no_such'"),
        ("needs_h5py:x", "it needs the module 'h5py_that_nobody_has', which is not installed"),
        ("ends_badly:x", "importing 'ends_badly' ended in SystemExit: 3"),
    ],
)
def test_resolve_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, found: str
) -> None:
    """A reference that leads nowhere is a PluginError that names plugin, module and reason."""
    (tmp_path / "needs_h5py.py").write_text("import h5py_that_nobody_has")
    (tmp_path / "ends_badly.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PluginError) as caught:
        resolve(reference, whence="mine (loom-mine 1.0)")
    assert str(caught.value).startswith(f"Cannot use '{reference}' of the plugin mine (loom-mine 1.0): {found}.")


def test_resolve_asks_the_registry_whose_it_is() -> None:
    """Without being told, the plugin is looked up by its reference."""
    use(made(bringing(ReaderSpec(name="x", load="no_such_module:x"))))
    try:
        with pytest.raises(PluginError, match=r"of the plugin a \(loom-a 1.0\): there is no module"):
            resolve("no_such_module:x")
    finally:
        use(None)


def test_slow_plugin() -> None:
    """A plugin is slow above a quarter of a second of import time."""
    record = PluginRecord("a", "loom-a", "1.0", "m", seconds=0.2)
    assert (record.slow, record._replace(seconds=0.3).slow) == (False, True)


def test_prints_of_a_plugin_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """What a plugin prints while it is loaded does not get into the output of a command."""
    made(plugin(atomloom_readers=lambda: [print("noise")]))  # noqa: T201
    assert capsys.readouterr() == ("", "noise\n")
