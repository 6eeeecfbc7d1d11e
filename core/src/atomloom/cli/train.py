"""``atomloom train MODEL``: an experiment from flags; it writes the TOML that it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atomloom.cli.data_options import DataOptions, data_options, runs_option
from atomloom.registry import registry

if TYPE_CHECKING:
    from atomloom.experiment import Batching, Experiment, Option
    from atomloom.specs import ModelSpec, Preset


_BUCKET = re.compile(r"bucket_N(\d+)\.npz")


class Train(click.Group):
    """A command for each installed model, whose options come from the model and its backend."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The installed models."""
        return [found.spec.name for found in registry().all("models")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of one model."""
        return _command(cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str, click.Command, list[str]]:
        """Let an unknown model be answered by the registry, which knows the near ones."""
        return args[0], self.get_command(ctx, args[0]), args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the models."""
        rows = [(found.spec.name, found.spec.summary) for found in registry().all("models")]
        with formatter.section("Models"):
            formatter.write_dl(rows)


class Fit(click.Command):
    """The command of one model, whose help ends with its presets.

    Attributes:
        presets: of the model.
    """

    presets: Mapping[str, Preset] = {}

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List what each preset sets."""
        if self.presets:
            with formatter.section("Presets (what you give wins over them)"):
                formatter.write_dl([(name, _told(preset)) for name, preset in self.presets.items()])


def _told(preset: Preset) -> str:
    from atomloom.experiment.wording import shown

    tables = {"model": preset.model, "training": preset.training, "batching": preset.batching}
    values = [f"{table}.{key} = {shown(value)}" for table, keys in tables.items() for key, value in keys.items()]
    return f"{preset.size}: {', '.join(values)}"


@click.command(cls=Train, subcommand_metavar="MODEL --data PATH [OPTIONS]")
def train() -> None:
    """Fit a model to data from flags; the experiment file that this amounts to is written into the run.

    `atomloom train MODEL --help` lists the options of a model.
    """


def _command(name: str) -> click.Command:
    from atomloom.experiment import describe
    from atomloom.pipeline.job import options_of
    from atomloom.specs import BackendSpec, ModelSpec

    spec = registry().get("models", name).spec
    assert isinstance(spec, ModelSpec)
    backend = registry().get("backends", spec.backend).spec
    assert isinstance(backend, BackendSpec)
    options = {
        "model": describe(options_of(spec.config)),
        "training": describe(options_of(backend.training), spec.training),
    }

    def fit(**given: Any) -> None:
        _fit(name, spec, options, given)

    params: list[click.Parameter] = [_preset(spec)] if spec.presets else []
    params += [parameter for found in options.values() for parameter in map(_parameter, found)]
    command = click.command(name, cls=Fit, help=f"{spec.summary}.")(_general(data_options(fit)))
    command.params += params
    assert isinstance(command, Fit)
    command.presets = spec.presets
    return command


def _preset(spec: ModelSpec) -> click.Option:
    text = "Defaults by system size, listed below; auto: by the longest frame."
    return click.Option(["--preset"], metavar="|".join((*spec.presets, "auto")), default=None, help=text)


def _general(function: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that training has whatever the model; the last one added is listed first."""
    for option in (
        click.option("--project", default="", metavar="NAME", help="What the run is filed under there."),
        click.option("--mlflow", is_flag=True, help="Follow the run in MLflow: needs atomloom[mlflow]."),
        click.option("--wandb", is_flag=True, help="Follow the run in Weights & Biases: needs atomloom[wandb]."),
        click.option(
            "--loss", "losses", multiple=True, metavar="NAME=WEIGHT", help="Lower this; else the model's own."
        ),
        click.option(
            "--split-seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the random split."
        ),
        click.option(
            "--stratify", multiple=True, metavar="FIELD", help="Divide each value of a field by itself; repeatable."
        ),
        click.option(
            "--ensemble",
            type=click.IntRange(min=2),
            metavar="INT",
            help="Fit so many members from other seeds; their spread says how sure they are.",
        ),
        click.option("--batch-size", type=click.IntRange(min=1), metavar="INT", help="Frames in a batch."),
        runs_option,
        click.option("--name", metavar="NAME", help="Of the run; by default the model's, numbered."),
        click.option(
            "--bucket-order",
            type=click.Choice(["interleaved", "sequential"]),
            help="Whether batches of the buckets of DIR take turns (the default), or come bucket by bucket.",
        ),
        click.option(
            "--multi-protein-dir", metavar="DIR", help="Instead of --data: length buckets, bucket_N0100.npz and so on."
        ),
        click.option("--data", "paths", multiple=True, metavar="PATH", help="What to read; repeatable."),
    ):
        function = option(function)
    return function


def _parameter(option: Option) -> click.Option:
    text = " ".join(filter(None, (option.help, f"[{option.values}]" if option.values else "")))
    shown = "" if option.default is None else f" (default: {option.default})"
    if option.kind is bool and option.several is None:
        return click.Option([f"{option.flag}/--no-{option.flag[2:]}"], default=None, help=f"{option.help}{shown}")
    return click.Option([option.flag], metavar=option.metavar, help=f"{text}{shown}", default=None)


def _fit(name: str, spec: ModelSpec, options: dict[str, tuple[Option, ...]], given: dict[str, Any]) -> None:
    from atomloom.cli.fit import checked_name, fit_in
    from atomloom.experiment import AsFlags, resolved
    from atomloom.pipeline import prepare
    from atomloom.runs import next_free

    root, run_name = Path(given.pop("root")), given.pop("name")
    folder = next_free(root / name) if run_name is None else root / checked_name(run_name, name)
    experiment = resolved(_experiment(name, spec, options, given), Path.cwd())
    fit_in(folder, lambda: prepare(experiment, AsFlags()))


def _experiment(
    name: str, spec: ModelSpec, options: dict[str, tuple[Option, ...]], given: dict[str, Any]
) -> Experiment:
    """The experiment that the flags amount to."""
    from atomloom.experiment import Batching, Data, Experiment, Source, Split, Tracking, from_flags, plain
    from atomloom.pipeline.job import options_of
    from atomloom.readers import expand, suggest

    paths, folder = given.pop("paths"), given.pop("multi_protein_dir")
    _check_source(paths, folder, given["bucket_order"])
    data = DataOptions(*(given[name] for name in DataOptions._fields))
    if folder:
        paths, data = (folder,), data._replace(reader=data.reader or "buckets")
    source = Source(
        path=paths[0] if len(paths) == 1 else list(paths),
        reader=data.reader or suggest(expand(paths[0])[0]),
        options=data.reader_options,
        read_as=dict(data.choices.meanings),
        units=dict(data.choices.units),
        drop_bad=data.drop_bad,
    )
    backend = registry().get("backends", spec.backend).spec
    tables = {}
    for part, struct in (("model", spec.config), ("training", backend.training)):
        flags = {option.name: given[option.name] for option in options[part] if given.get(option.name) is not None}
        defaults = spec.training if part == "training" else {}
        options_given = plain(from_flags(options_of(struct), flags, defaults))
        # What is not given is left to a preset, and after that to the defaults.
        tables[part] = {option: value for option, value in options_given.items() if option in flags}
    followed = {name: given[name] for name in Tracking.__struct_fields__}
    return Experiment(
        preset=given.get("preset"),
        ensemble=given["ensemble"],
        data=Data(source=[source], split=Split(seed=given["split_seed"], stratify=list(given["stratify"]) or None)),
        batching=_batching(given, folder) if folder else Batching(batch_size=given["batch_size"]),
        model={"name": name, **tables["model"]},
        losses=_weights(given["losses"]),
        training=tables["training"],
        tracking=Tracking(**followed) if any(followed.values()) else None,
    )


def _weights(given: tuple[str, ...]) -> dict[str, float]:
    from atomloom.errors import ConfigError
    from atomloom.harmonizing import pairs

    weights = {}
    for name, text in pairs("--loss", given).items():
        try:
            weights[name] = float(text)
        except ValueError:
            found = f"{text!r} is not a number"
            raise ConfigError(f"read --loss {name}={text}", found, f"Write --loss {name}=1.0") from None
    return weights


def _check_source(paths: tuple[str, ...], folder: str | None, order: str | None) -> None:
    """Stops where nothing says what to read, or two options do."""
    if not paths and not folder:
        raise click.UsageError("missing option '--data'")
    if paths and folder:
        raise click.UsageError("--data and --multi-protein-dir are both given; leave out one of them")
    if order and not folder:
        raise click.UsageError("--bucket-order is of the buckets of --multi-protein-dir, which is not given")


def _batching(given: Mapping[str, Any], folder: str) -> Batching:
    """Batches within the buckets that the files in a folder are named after."""
    from atomloom.errors import DataError
    from atomloom.experiment import Batching

    named = (_BUCKET.fullmatch(path.name) for path in Path(folder).glob("*"))
    widths = sorted(int(found[1]) for found in named if found)
    if not widths:
        todo = "Make them by `atomloom residues bucket`, or read other files with --data"
        raise DataError(f"train over the buckets in '{folder}'", "it has no bucket_N0100.npz or the like", todo)
    return Batching(batch_size=given["batch_size"], buckets=widths, order=given["bucket_order"] or "interleaved")
