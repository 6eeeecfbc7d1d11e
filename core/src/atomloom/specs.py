"""What a plugin contributes, as frozen data.

A spec names a thing, says in a line what it is, and points to its code as ``"module:attribute"``; nothing is
imported until the thing is used. That is why this module imports nothing heavy, and why a plugin's ``plugin.py``
imports nothing but this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from atomloom.frozen import EMPTY, Frozen

API = 1
"""The version of the plugin interface that this core speaks."""

DIMS = frozenset({"frame", "atom", "pair", "xyz", "site", "grid", "residue", "reflection", "component"})
"""The words that may stand in `Field.dims`."""

RAGGED = frozenset({"atom", "pair", "grid", "residue", "reflection"})
"""The dims whose length differs from frame to frame."""

CLAIMS = frozenset(
    {
        "permutation",
        "rotation",
        "reflection",
        "translation",
        "padding",
        "batch",
        "conservative",
        "size-consistent",
    }
)
"""What a model may claim about itself; `atomloom evaluate RUN --mode invariance` measures it."""

UNRESOLVED = "?"
"""The unit of a field of which nothing says in which unit its source holds it."""


class Spec(Frozen):
    """What all contributions have in common.

    Args:
        name: the short name that people type; unique within a plugin and a kind.
        summary: one line for listings.
        cite: BibTeX entries of the literature that a user of this should cite.
        example: ``"module:function"`` that makes a tiny case for the conformance kit; `atomloom.testing` says what it
            takes and gives for each kind.
        waivers: name of a conformance check -> the written reason why it does not apply.
    """

    name: str
    summary: str = ""
    cite: tuple[str, ...] = ()
    example: str = ""
    waivers: Mapping[str, str] = EMPTY


class Loaded(Spec):
    """A contribution with code behind it, imported on first use.

    Args:
        load: ``"module:attribute"``.
    """

    load: str


class Field(Spec):
    """A quantity of the data contract.

    Args:
        dims: words of `DIMS`, the frame first; empty where a reader does not know what the axes mean.
        unit: the unit that core converts to, such as ``"eV/angstrom"``; empty for none.
        dtype: ``"float"`` (the precision of the source is kept), ``"float64"``, ``"int"``, ``"bool"`` or ``"str"``.
        doc: what it is, in a sentence or two.
        aliases: names under which existing data sets hold it, compared without regard to case.

    >>> Field(name="F", dims=("frame", "atom", "xyz"), unit="eV/angstrom", aliases=("forces",)).ragged
    'atom'
    """

    dims: tuple[str, ...] = ()
    unit: str = ""
    dtype: str = "float"
    doc: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def ragged(self) -> str:
        """The axis of this field that differs from frame to frame, or an empty string."""
        return next((dim for dim in self.dims if dim in RAGGED), "")


class Matches(NamedTuple):
    """What a file or folder of some format looks like; data, so that sniffing runs no plugin code.

    Args:
        globs: patterns of its name, such as ``"*.npz"``, compared without regard to case.
        magic: bytes that such a file starts with; where there is `holds`, that the first file named there starts with.
        holds: patterns of names in a folder of this format, such as ``"manifest.json"``, compared without regard to
            case. Each of them must fit a file or folder in it.
    """

    globs: tuple[str, ...] = ()
    magic: tuple[bytes, ...] = ()
    holds: tuple[str, ...] = ()


class ReaderSpec(Loaded):
    """A reader: ``load`` resolves to ``(source, /, **options) -> Dataset``.

    Args:
        matches: how a file or folder of this format is recognised; a recognition only ever suggests.
        provides: names of the fields that it may hold, where the format fixes them.
    """

    matches: Matches = Matches()
    provides: tuple[str, ...] = ()


class WriterSpec(Loaded):
    """A writer: ``load`` resolves to ``(dataset, target, /, **options) -> None`` and streams."""

    matches: Matches = Matches()


class HarmonizerSpec(Loaded):
    """A harmonizer: ``load`` resolves to a pure ``(dataset, /, *, choices) -> (Dataset, findings)``.

    Args:
        needs: fields that must be there for it to run.
        gives: fields that it can make.
    """

    needs: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()


class Preset(Frozen):
    """Defaults that a model's author recommends for systems of some size; whatever the user gives wins over them.

    Args:
        below: systems of fewer atoms than this are of this size; 0 for no limit.
        model: options of the model.
        training: options of the training.
        batching: of the keys of ``[batching]`` those that say how large a batch is: ``batch_size``, ``atoms``,
            ``num_atoms``, ``buckets``.

    >>> Preset(below=30, batching={"batch_size": 64}).size
    'under 30 atoms'
    """

    below: int = 0
    model: Mapping[str, Any] = EMPTY
    training: Mapping[str, Any] = EMPTY
    batching: Mapping[str, Any] = EMPTY

    @property
    def size(self) -> str:
        """The systems that it is for, in words."""
        return f"under {self.below} atoms" if self.below else "of any size"


class ModelSpec(Loaded):
    """A model: ``load`` resolves to an `atomloom.Model`.

    Args:
        needs: fields that the model reads.
        predicts: fields that it gives.
        backend: name of the backend whose ``fit`` trains it, unless it brings its own.
        config: ``"module:Struct"``, the msgspec struct of its options.
        training: training options whose default differs from the backend's.
        losses: weights of the losses that are on unless an experiment names its own.
        claims: members of `CLAIMS` that the model promises to satisfy.
        certificate: whether each report of a run measures all that there is to promise, what is not claimed too.
        levels: whether it tells levels of theory apart; it then reads ``level_index`` where data are of several.
        presets: defaults by system size, the smallest systems first: by habit ``"small"`` (under 30 atoms),
            ``"medium"`` and ``"large"``.
    """

    needs: tuple[str, ...] = ()
    predicts: tuple[str, ...] = ()
    backend: str = "numpy"
    config: str = ""
    training: Mapping[str, Any] = EMPTY
    losses: Mapping[str, float] = EMPTY
    claims: frozenset[str] = frozenset()
    certificate: bool = False
    levels: bool = False
    presets: Mapping[str, Preset] = EMPTY

    def for_levels(self, known: tuple[str, ...]) -> ModelSpec:
        """What it says of itself where it is fitted to frames of these levels of theory."""
        if not self.levels or len(known) < 2:
            return self
        return self.replace(needs=(*self.needs, "level_index"))


class LossSpec(Loaded):
    """A loss: ``load`` resolves to a pure ``(predicted, target, weight, ops) -> (sum per frame, count)``.

    Args:
        needs: fields that it compares.
        backends: names of the backends whose ``ops`` it runs on.
        unit: of its mean, such as ``"eV^2"``; empty for none.
    """

    needs: tuple[str, ...] = ()
    backends: tuple[str, ...] = ("numpy",)
    unit: str = ""


class PostSpec(Loaded):
    """A post-processor: ``load`` resolves to ``(run, dataset, /, **options) -> Report``.

    Args:
        needs: names of the fields that the data must have.
        predicted: names of what the model of the run must predict. Plans list no post-processor that lacks something.
    """

    needs: tuple[str, ...] = ()
    predicted: tuple[str, ...] = ()


class BackendSpec(Loaded):
    """An array library with a way to train: ``load`` resolves to an `atomloom.Backend`.

    Args:
        training: ``"module:Struct"``, the msgspec struct of its training options.
        devices: ``"module:function"`` that lists the devices it can use, as strings; only for backends that can
            tell without much cost, since `atomloom info` asks.
    """

    training: str = ""
    devices: str = ""


class CommandSpec(Loaded):
    """A subcommand of ``atomloom``: ``load`` resolves to a click command or group."""


class DemoSpec(Loaded):
    """A small complete job: ``load`` resolves to ``(folder, /) -> Report`` and works within `folder`."""


class RendererSpec(Loaded):
    """Turns a `Report` into files: ``load`` resolves to ``(report, folder, /) -> Path | None``.

    The path is that of the main file (or folder) it wrote, None if the report holds nothing for it.

    Args:
        suffix: of the main file that it writes, such as ``".html"``.
    """

    suffix: str
