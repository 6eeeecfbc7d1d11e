"""Options that a plugin declares as a struct are checked in files and offered as flags."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Meta

from atomloom.errors import ConfigError, PluginError
from atomloom.experiment import InFile, Option, build, describe, from_flags, loads, overridden, plain

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """What a backend might offer: one field of each kind."""

    num_epochs: Annotated[int, Meta(ge=1, description="passes over the data")] = 100
    lr: Annotated[float, Meta(gt=0, lt=1, description="learning rate")] = 1e-3
    ema: Annotated[bool, Meta(description="average the weights")] = True
    schedule: Annotated[Literal["constant", "cosine"], Meta(description="of the learning rate")] = "cosine"
    patience: Annotated[int | None, Meta(description="epochs without progress")] = 10
    clip: Annotated[float, Meta(ge=0)] | None = None
    charge_range: tuple[int, int] = (-2, 2)
    layers: list[int] = msgspec.field(default_factory=lambda: [64])
    device: str = ""
    precision: Annotated[Literal[32, 64], Meta(description="bits")] = 32
    seeds: int | str = 0
    inner: dict[str, float] = {}

    def __post_init__(self) -> None:
        """Reject a range that is the wrong way round."""
        if self.charge_range[0] > self.charge_range[1]:
            raise ValueError("charge_range runs from high to low")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A struct with an option that has to be given."""

    features: Annotated[int, Meta(ge=1, description="width of the network")]


FILE = InFile("exp.toml", ("training",), "[training]\nnum_epochs = 1\nlr = 2\nnum_epoch = 1\ncharge_range = 0\n")


def option(name: str, **defaults: Any) -> Option:
    """The description of one option of `Training`."""
    return next(each for each in describe(Training, defaults) if each.name == name)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"num_epoch": 1}, "4: `training.num_epoch` is not a known key. The nearest known key is `num_epochs`."),
        ({"num_epochs": 0}, "2: `training.num_epochs` is 0. It has to be a whole number of at least 1."),
        ({"lr": 2}, "3: `training.lr` is 2. It has to be a number above 0 and below 1."),
        ({"lr": float("inf")}, "3: `training.lr` is inf. It has to be a finite number."),
        ({"charge_range": [1]}, "5: `training.charge_range` is [1]. It has to be an array of 2 values, each a whole "
         "number."),
        ({"charge_range": [2, 1]}, "1: `training` is refused: charge_range runs from high to low. Change one of its "
         "values."),
        ({"batch_size": 1}, "1: `training.batch_size` is not a known key. It belongs to [batching]."),
        ({"patience": "x"}, '1: `training.patience` is "x". It has to be a whole number.'),
    ],
)  # fmt: skip
def test_wrong_options_are_told_with_their_line(table: dict[str, Any], expected: str) -> None:
    """A plugin's table gets the same messages as the rest of the file."""
    with pytest.raises(ConfigError) as caught:
        build(Training, table, FILE)
    assert str(caught.value) == f"Cannot use the options: exp.toml:{expected}"


def test_a_missing_option_is_told_at_its_table() -> None:
    """What a plugin requires is asked for with its description."""
    with pytest.raises(ConfigError) as caught:
        build(Model, {}, InFile("exp.toml", text="[x]\n[model]\n").under("model"))
    assert str(caught.value) == (
        "Cannot use the options: exp.toml:2: `model.features` is missing. "
        "Give a whole number of at least 1: width of the network."
    )


def test_options_are_completed_by_defaults() -> None:
    """A value comes from the user, else from the plugin that replaces a default, else from the struct."""
    made = build(Training, {"num_epochs": 5}, FILE, {"num_epochs": 7, "lr": 0.5})
    assert (made.num_epochs, made.lr, made.ema) == (5, 0.5, True)


def test_none_can_be_said_in_a_file() -> None:
    """An option that may be without a value is switched off by "none"."""
    assert build(Training, {"patience": "none"}, FILE).patience is None


@pytest.mark.parametrize("defaults", [{"num_epochs": 0}, {"epochs": 3}])
def test_wrong_defaults_are_the_plugins_fault(defaults: dict[str, Any]) -> None:
    """Users are not told to correct what a plugin got wrong."""
    with pytest.raises(PluginError, match="The plugin has to be corrected"):
        build(Training, {}, FILE, defaults)
    with pytest.raises(PluginError, match="The plugin has to be corrected"):
        describe(Training, defaults)


def test_a_struct_that_cannot_be_read_is_the_plugins_fault() -> None:
    """An annotation that names nothing is told as a fault of the plugin."""
    broken = msgspec.defstruct("Broken", [("x", "Nothing", 1)])
    with pytest.raises(PluginError, match="declares as Broken: name 'Nothing' is not defined"):
        describe(broken)


def test_an_infinite_default_survives_its_table() -> None:
    """Only a plugin may mean infinity; its default comes back from a resolved file all the same."""
    unbounded = msgspec.defstruct("Unbounded", [("cutoff", float, float("inf"))])
    assert build(unbounded, plain(unbounded()), FILE) == unbounded()
    with pytest.raises(ConfigError, match="cutoff` is -inf"):
        build(unbounded, {"cutoff": float("-inf")}, FILE)


def test_options_changed_by_set_are_told_as_such() -> None:
    """After `override`, messages name the --set, not a line that says something else."""
    place = overridden(InFile("exp.toml", text=FILE.text), ["training.lr=5"]).under("training")
    with pytest.raises(ConfigError) as caught:
        build(Training, {"lr": 5, "num_epochs": 0}, place)
    lines = [line.split(" is ")[0] for line in str(caught.value).split("\n")[1:]]
    assert lines == ["  exp.toml:2: `training.num_epochs`", "  --set `training.lr`"]


def test_every_kind_of_option_is_described() -> None:
    """Flags, kinds, ranges and meanings come from the struct; tables have no flag."""
    described = {each.flag: (each.kind, each.metavar, each.default) for each in describe(Training)}
    assert described == {
        "--num-epochs": (int, "INT", 100),
        "--lr": (float, "FLOAT", 1e-3),
        "--ema": (bool, "BOOL", True),
        "--schedule": (str, "constant|cosine", "cosine"),
        "--patience": (int, "INT", 10),
        "--clip": (float, "FLOAT", None),
        "--charge-range": (int, "INT,INT", (-2, 2)),
        "--layers": (int, "INT,...", [64]),
        "--device": (str, "TEXT", ""),
        "--precision": (int, "32|64", 32),
        "--seeds": (str, "TEXT", 0),
    }


def test_a_description_has_bounds_and_words() -> None:
    """Bounds say whether they are included, help is the field's description, defaults may be replaced."""
    lr = option("lr", lr=0.5)
    assert (lr.low, lr.high, lr.low_open, lr.high_open) == (0, 1, True, True)
    assert (lr.default, lr.help, lr.values) == (0.5, "learning rate", "a number above 0 and below 1")
    epochs = option("num_epochs")
    assert (epochs.low, epochs.high, epochs.low_open, epochs.required) == (1, None, False, False)
    assert option("clip").nullable
    assert option("clip").low == 0


def test_required_options_are_marked() -> None:
    """An option without a default has to be given, unless the plugin gives it."""
    assert describe(Model)[0].required
    assert not describe(Model, {"features": 3})[0].required


FLAGS = {
    "num_epochs": ("5", 5),
    "lr": ("1e-2", 0.01),
    "ema": (False, False),
    "schedule": ("constant", "constant"),
    "patience": ("none", None),
    "clip": ("1", 1.0),
    "charge_range": ("-1,3", (-1, 3)),
    "layers": ("8, 16", [8, 16]),
    "device": ("0", "0"),
    "precision": ("64", 64),
    "seeds": ("auto", "auto"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_texts_of_a_command_line_become_values(name: str) -> None:
    """Each text is read as the type of its field; a flag that was not given keeps the default."""
    text, value = FLAGS[name]
    assert getattr(from_flags(Training, {name: text, "inner": None}), name) == value


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"num_epochs": "0"}, "--num-epochs is 0. It has to be a whole number of at least 1."),
        ({"num_epochs": "ten"}, '--num-epochs is "ten". It has to be a whole number of at least 1.'),
        ({"num_epochs": 2.5}, "--num-epochs is 2.5. It has to be a whole number of at least 1."),
        ({"lr": "nan"}, "--lr is nan. It has to be a finite number."),
        ({"layers": "1,x"}, '--layers is "1,x". It has to be an array, each item a whole number.'),
        ({"charge_range": (2, 1)}, "the combination of options is refused: charge_range runs from high to low. "
         "Change one of its values."),
    ],
)  # fmt: skip
def test_wrong_flags_are_told_as_flags(values: dict[str, Any], expected: str) -> None:
    """Messages about a command line speak of its flags."""
    with pytest.raises(ConfigError) as caught:
        from_flags(Training, values)
    assert str(caught.value) == f"Cannot use the options: {expected}"


def test_a_required_flag_is_asked_for() -> None:
    """What a plugin requires is asked for as a flag."""
    with pytest.raises(ConfigError, match="--features is missing"):
        from_flags(Model, {"features": None})


@relaxed
@given(
    st.builds(
        Training,
        num_epochs=st.integers(1, 2**62),
        lr=st.floats(1e-9, 0.9),
        schedule=st.sampled_from(["constant", "cosine"]),
        patience=st.none() | st.integers(0, 100),
        clip=st.none() | st.floats(0, 1e9),
        layers=st.lists(st.integers(0, 99), max_size=3),
        seeds=st.integers(0, 9) | st.text(max_size=3),
        inner=st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=2),
    )
)
def test_options_survive_their_table(training: Training) -> None:
    """`build` undoes `plain`, which says every default."""
    assert build(Training, plain(training), FILE, {"patience": 3, "clip": 1.0}) == training


def test_a_resolved_experiment_says_all_options() -> None:
    """The table that goes to a run's config.toml holds what TOML can hold."""
    assert plain(Training())["charge_range"] == [-2, 2]
    assert plain(Training())["clip"] == "none"
    assert loads('data.source = [{path = "a", reader = "npz"}]\nmodel.name = "x"').model_options == {}
