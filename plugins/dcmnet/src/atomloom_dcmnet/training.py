"""A training in one call."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from atomloom.errors import ConfigError
from atomloom.experiment import resolved
from atomloom.pipeline import Fitted, fit, prepare
from atomloom.report import save
from atomloom.runs import Run, check_free
from atomloom.writers import write
from atomloom_dcmnet.bundled import small_molecules
from atomloom_dcmnet.checkpoints import analyze_checkpoint, analyze_training_history, report_of
from atomloom_dcmnet.config import ModelConfig
from atomloom_dcmnet.experiments import ExperimentConfig, TrainingConfig
from atomloom_dcmnet.preparing import read_frames
from atomloom_dcmnet.tables import save_analysis, save_history


class Trained(NamedTuple):
    """What a training leaves.

    Args:
        params: the parameters of the best epoch.
        loss: its loss on the frames that were watched, or on those trained on where there are none.
        exp_dir: the folder of the run, with `analysis/` in it.
    """

    params: Any
    loss: float
    exp_dir: Path


BUNDLED = "small-molecules.npz"
"""The file beside the runs that holds the data of the package, for trainings on them."""


def run_training(data: str | tuple[str, ...] = (), root: str | Path = "runs", **options: Any) -> Trained:
    """Train on files, analyse the frames that were kept for it, and keep all in the folder ``root/name``.

    Args:
        data: files or globs; without any, the molecules that come with the package.
        options: of `ExperimentConfig`, `ModelConfig` and `TrainingConfig`, by their names: ``name``, ``num_epochs``,
            ``batch_size``, ``gradient_accumulation_steps``, ``use_lr_schedule``, ``lr_schedule_type``, ``n_dcm``,
            ``chg_w``, ...
    """
    return train_model(config_of(data, options), root)


def train_model(config: ExperimentConfig, root: str | Path = "runs") -> Trained:
    """What `run_training` does, from a struct."""
    folder = Path(root) / config.name
    check_free(folder)
    if not config.data:
        config = msgspec.structs.replace(config, data=(str(bundled_file(Path(root))),))
    data = read_frames(config)
    run, _ = fit(prepare(resolved(config.experiment(len(data.dataset)), Path.cwd()), data=data), folder)
    _analysed(run)
    return Trained(Fitted.load(run).state["parameters"], analyze_training_history(run)["best_loss"], folder)


def config_of(data: str | tuple[str, ...], options: Mapping[str, Any]) -> ExperimentConfig:
    """The struct that flat options amount to; an unknown one is answered with the nearest.

    >>> config_of("a.npz", {"n_dcm": 4, "num_epochs": 2}).model.n_dcm
    4
    >>> config_of("a.npz", {"num_epoch": 2})
    Traceback (most recent call last):
        ...
    atomloom.errors.ConfigError: Cannot train with the option 'num_epoch': there is none of that name. Did you mean \
'num_epochs'?
    """
    homes = {"model": ModelConfig, "training": TrainingConfig}
    tables: dict[str, Any] = {name: {} for name in homes}
    own: dict[str, Any] = {"data": (data,) if isinstance(data, str) else tuple(data)}
    own_names = set(ExperimentConfig.__struct_fields__) - {*homes, "data"}
    known = own_names | {name for struct in homes.values() for name in struct.__struct_fields__}
    for name, value in options.items():
        if name not in known:
            near = get_close_matches(name, known, 1)
            todo = f"Did you mean {near[0]!r}?" if near else "Look at ModelConfig and TrainingConfig"
            raise ConfigError(f"train with the option {name!r}", "there is none of that name", todo)
        home = next((part for part, struct in homes.items() if name in struct.__struct_fields__), None)
        (own if home is None else tables[home])[name] = value
    return msgspec.convert({**own, **tables}, ExperimentConfig)


def bundled_file(root: Path) -> Path:
    """A file with the data of the package, so that a run on them is resumed as any other."""
    target = root / BUNDLED
    root.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        write(small_molecules(), target, writer="core:npz")
    return target


def _analysed(run: Run) -> None:
    """The files of `analysis/` and the report of the post-processor; without frames for them, the history alone."""
    folder = run.files.analysis
    folder.mkdir(parents=True, exist_ok=True)
    save_history(run, folder)
    if run.provenance["split"]["test"]:
        found = analyze_checkpoint(run)
        save_analysis(found, folder)
        save(report_of(run, found), folder / "dcmnet-analysis")
