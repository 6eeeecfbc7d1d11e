"""An experiment as data: what to read, how to split and batch it, what to fit to it and how.

The descriptions of the fields are what ``--help`` and messages say about them. A rule that concerns one field is in its
`msgspec.Meta`; rules between fields are in ``problems`` of their struct.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from atomloom.experiment.problems import Problem
from atomloom.experiment.searching import Search
from atomloom.experiment.wording import shown

FRAMES_PER_BATCH = 32
"""Frames in a batch where an experiment says neither ``batch_size`` nor ``atoms``."""

FRAMES_PER_BLOCK = 4096
"""Frames that are read together with ``order = "blocks"`` where an experiment does not say ``block``."""

SHARES = {"train": 0.8, "valid": 0.1, "test": 0.1}
"""Parts of the data where an experiment says nothing about its split."""

_ROUNDING = 1e-9  # 0.7 + 0.2 + 0.1 may come out above 1

Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=1)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Weight = Annotated[float, Meta(ge=0)]


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One data source: files of one format, with what their fields mean where that is not plain."""

    path: Annotated[
        Text | Annotated[list[Text], Meta(min_length=1)],
        Meta(description="file or folder, or several; * and ? match any characters; relative to the TOML file"),
    ]
    reader: Annotated[Text, Meta(description="name of the reader, which `atomloom inspect PATH` suggests")]
    options: Annotated[dict[str, Any], Meta(description="options of the reader")] = {}
    read_as: Annotated[dict[str, str], Meta(description="what a field means: FIELD = MEANING")] = msgspec.field(
        name="as", default_factory=dict
    )
    units: Annotated[dict[str, str], Meta(description="what a field is measured in: FIELD = UNIT")] = msgspec.field(
        name="unit", default_factory=dict
    )
    drop_bad: Annotated[bool, Meta(description="leave out frames with NaN or infinite positions or energies")] = False
    level: Annotated[Text | None, Meta(description="level of theory of its labels, in place of what it says")] = None

    @property
    def paths(self) -> tuple[str, ...]:
        """`path` as several, also where it is one."""
        return (self.path,) if isinstance(self.path, str) else tuple(self.path)


class Split(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which frames are trained on, which steer the training, and which only judge it."""

    train: Annotated[Fraction | Text | None, Meta(description="fraction to train on, or a file of indices")] = None
    valid: Annotated[
        Fraction | Text | None, Meta(description="fraction that picks the best epoch, or a file of indices")
    ] = None
    test: Annotated[Fraction | Text | None, Meta(description="fraction kept for the end, or a file of indices")] = None
    seed: Annotated[int, Meta(ge=0, description="seed of the random split")] = 0
    group: Annotated[Text | None, Meta(description="field whose equal values stay together, such as protein_id")] = None
    field: Annotated[Text | None, Meta(description="field that says the part of each row, such as free_flag")] = None
    stratify: Annotated[
        Annotated[list[Text], Meta(min_length=1)] | None,
        Meta(description="fields of which each combination of values is divided by itself, rare ones too"),
    ] = None
    blocks: Annotated[
        Annotated[int, Meta(ge=2)] | None,
        Meta(description="cut the frames into this many contiguous blocks and keep each together, for trajectories"),
    ] = None

    @property
    def shares(self) -> dict[str, float | str]:
        """Fraction or index file of each part: what is given, the rest empty; `SHARES` where nothing is given.

        >>> Split(train=0.9, valid=0.1).shares
        {'train': 0.9, 'valid': 0.1}
        """
        if self.field is not None:
            return {}
        given = {name: getattr(self, name) for name in SHARES}
        return {name: share for name, share in given.items() if share not in (None, 0)} or dict(SHARES)

    def problems(self) -> Iterator[Problem]:
        """Ways to split that exclude each other, and fractions that do not add up."""
        given = {name: getattr(self, name) for name in (*SHARES, "group", "field", "blocks", "stratify")}
        named = [name for name, value in given.items() if value is not None]
        shares = {name: given[name] for name in named if name in SHARES}
        if "field" in named:
            yield from (_exclusive(name, "field") for name in named if name != "field")
            return
        if {"group", "blocks"} <= set(named):
            yield _exclusive("blocks", "group")
        if {"stratify", "blocks"} <= set(named):
            yield _exclusive("stratify", "blocks")
        files = [name for name, share in shares.items() if isinstance(share, str)]
        if files:
            yield from self._files(files, shares, named)
        else:
            yield from self._fractions(shares)

    def _files(self, files: list[str], shares: dict[str, Any], named: list[str]) -> Iterator[Problem]:
        for name in shares.keys() - files:
            yield Problem((name,), f"is a fraction, and `{files[0]}` is a file", "Give files for all parts or none")
        yield from (_exclusive(name, files[0]) for name in ("group", "blocks", "stratify") if name in named)
        if "train" not in shares:
            yield Problem(("train",), "is missing", "Give the file with the indices to train on")

    def _fractions(self, shares: dict[str, float]) -> Iterator[Problem]:
        total = sum(shares.values())
        if total > 1 + _ROUNDING:
            parts = " + ".join(f"{share:g}" for share in shares.values())
            yield Problem((), f"has fractions of {parts} = {total:g}", "They may add up to 1 at most")
        elif shares and not shares.get("train"):
            found = "is 0" if "train" in shares else "is missing"
            yield Problem(("train",), found, "Give the fraction to train on, such as 0.8")
        if self.blocks is not None and self.blocks < len(self.shares):
            parts = ", ".join(self.shares)
            yield Problem(("blocks",), f"is {self.blocks}, too few for {parts}", "Give each part a block at least")


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is read, and how it is split."""

    source: Annotated[
        Annotated[list[Source], Meta(min_length=1)],
        Meta(description="what to read, each source under its own [[data.source]]"),
    ]
    split: Annotated[Split, Meta(description="parts for training, validation and test")] = Split()


class Batching(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How frames are put together into batches."""

    batch_size: Annotated[Count | None, Meta(description="frames in a batch")] = None
    atoms: Annotated[Count | None, Meta(description="atoms in a batch, instead of batch_size")] = None
    order: Annotated[
        Literal["shuffled", "interleaved", "sequential", "blocks", "file"],
        Meta(
            description="shuffled: frames at random; interleaved: at random, batch shapes in turn; "
            "sequential: at random, one batch shape after another; blocks: stretches of frames at random, which a disk "
            "reads faster; file: as they are stored"
        ),
    ] = "shuffled"
    block: Annotated[
        Count | None, Meta(description='frames in a stretch with order = "blocks"; 16 stretches at a time are mixed')
    ] = None
    num_atoms: Annotated[Count | None, Meta(description="pad every frame to this many atoms")] = None
    buckets: Annotated[
        Count | Annotated[list[Count], Meta(min_length=1)] | None,
        Meta(description="length buckets: how many, cut where padding costs least, or their inclusive boundaries"),
    ] = None

    @property
    def frames(self) -> int | None:
        """Frames in a batch; None if it is filled up to a number of `atoms` instead."""
        return self.batch_size or (None if self.atoms else FRAMES_PER_BATCH)

    @property
    def frames_per_block(self) -> int | None:
        """Frames that are read together; None if no blocks are."""
        return (self.block or FRAMES_PER_BLOCK) if self.order == "blocks" else None

    def problems(self) -> Iterator[Problem]:
        """Sizes that exclude each other."""
        if self.batch_size is not None and self.atoms is not None:
            yield _exclusive("atoms", "batch_size")
        elif self.atoms is not None and self.num_atoms is not None and self.atoms < self.num_atoms:
            found = f"is {self.atoms}, less than a single frame of `num_atoms` = {self.num_atoms}"
            yield Problem(("atoms",), found, "Raise it, or lower `num_atoms`")
        if self.buckets is not None and self.num_atoms is not None:
            yield _exclusive("num_atoms", "buckets")
        if self.buckets is None and self.order in ("interleaved", "sequential"):
            yield Problem(("order",), f'is "{self.order}" and there are no buckets', "Give `buckets`, or another order")
        if self.buckets is not None and self.order == "blocks":
            todo = "Leave out one of them: a bucket takes its frames from all over the data"
            yield Problem(("order",), f'is "{self.order}" and there are buckets', todo)
        if self.block is not None and self.order != "blocks":
            found = f'is given and `order` is "{self.order}"'
            yield Problem(("block",), found, 'Leave it out, or set `order` to "blocks"')


class Tracking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Services that a run is followed in, beside its own folder."""

    wandb: Annotated[bool, Meta(description="follow the run in Weights & Biases")] = False
    mlflow: Annotated[bool, Meta(description="follow the run in MLflow")] = False
    project: Annotated[str, Meta(description="project or experiment there; else what their variables say")] = ""


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One experiment, as one TOML file says it.

    `model` and `training` are tables whose keys the model and its backend define; `atomloom.experiment.build` makes
    structs of them.
    """

    title: Annotated[str, Meta(description="a line for listings and reports")] = ""
    notes: Annotated[str, Meta(description="anything worth remembering")] = ""
    preset: Annotated[
        Text | None, Meta(description="the model's defaults for systems of some size; auto: by the longest frame")
    ] = None
    data: Annotated[Data, Meta(description="what is read, and how it is split")]
    batching: Annotated[Batching, Meta(description="how frames are put together into batches")] = Batching()
    model: Annotated[dict[str, Any], Meta(description="name of the model and its options")]
    losses: Annotated[
        dict[str, Weight], Meta(description="weight of each loss; the defaults of the model where there are none")
    ] = {}
    training: Annotated[dict[str, Any], Meta(description="options of the training")] = {}
    ensemble: Annotated[
        Annotated[int, Meta(ge=2)] | None,
        Meta(description="fit this many members, alike but for their seeds, whose spread says how sure they are"),
    ] = None
    search: Annotated[Search | None, Meta(description="options that `atomloom search` tries")] = None
    tracking: Annotated[Tracking | None, Meta(description="services that the run is followed in")] = None

    @property
    def model_name(self) -> str:
        """The model's name, the one key of `model` that every model has."""
        return str(self.model["name"])

    @property
    def model_options(self) -> dict[str, Any]:
        """`model` without the name."""
        return {key: value for key, value in self.model.items() if key != "name"}

    def problems(self) -> Iterator[Problem]:
        """A model without a name, losses that weigh nothing, an ensemble of what is searched for."""
        if "name" not in self.model:
            yield Problem(("model", "name"), "is missing", "Give the name of a model; `atomloom plugins` lists them")
        elif not isinstance(name := self.model["name"], str) or not name:
            todo = "It has to be the name of a model; `atomloom plugins` lists them"
            yield Problem(("model", "name"), f"is {shown(name)}", todo)
        if self.losses and not any(self.losses.values()):
            yield Problem(("losses",), "has no weight above 0", "Give one that the training can lower")
        if self.ensemble is not None and self.search is not None:
            found, todo = "and `search` exclude each other", "Search first, and fit an ensemble of the best"
            yield Problem(("ensemble",), found, todo)


def _exclusive(name: str, other: str) -> Problem:
    return Problem((name,), f"and `{other}` exclude each other", "Keep one of them")
