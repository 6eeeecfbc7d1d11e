"""Distributed charges: a few point charges per atom whose potential matches quantum chemistry.

::

    config, completing, weights     the options of the model, what data may lack, which points count
    network, model, losses          what is computed, in flax; what atomloom trains, and to what
    radii, surfaces                 van der Waals radii, and points around molecules
    linear, direct, molecules       charges of one molecule from its own potential; fit_command, fits, cli
    local_frames, conformers        axes that turn with the atoms, and fits of several geometries with the same charges
    mdcm, openmm_export, lattice    charges for CHARMM and OpenMM, and their potential for cube files; exported,
                                    export_command, interactions, calculator
    analysis, reporting, tables     errors beside bounds, as a report and as files
    checkpoints                     these for runs: one checkpoint, several, histories, many runs
    experiments, training           everything about a training as a struct, and in one call; preparing, train_runner
    bundled, example, demo          data that come with the package, made-up ones, and a fit to the first
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomloom.lazily import lazily

if TYPE_CHECKING:
    from atomloom_dcmnet.analysis import Analysis, analyse
    from atomloom_dcmnet.checkpoints import (
        analyze_checkpoint,
        analyze_training_history,
        batch_analysis_summary,
        compare_checkpoints,
        dcmnet_analysis,
    )
    from atomloom_dcmnet.config import ModelConfig
    from atomloom_dcmnet.direct import Potential, Search, Sites, fit_sites
    from atomloom_dcmnet.experiments import ExperimentConfig, TrainingConfig
    from atomloom_dcmnet.model import DCMNet
    from atomloom_dcmnet.network import DistributedCharges, create_model
    from atomloom_dcmnet.preparing import prepare_datasets
    from atomloom_dcmnet.training import run_training, train_model

__all__ = [
    "Analysis",
    "DCMNet",
    "DistributedCharges",
    "ExperimentConfig",
    "ModelConfig",
    "Potential",
    "Search",
    "Sites",
    "TrainingConfig",
    "analyse",
    "analyze_checkpoint",
    "analyze_training_history",
    "batch_analysis_summary",
    "compare_checkpoints",
    "create_model",
    "dcmnet_analysis",
    "fit_sites",
    "prepare_datasets",
    "run_training",
    "train_model",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Analysis": "analysis",
            "DCMNet": "model",
            "DistributedCharges": "network",
            "ExperimentConfig": "experiments",
            "ModelConfig": "config",
            "Potential": "direct",
            "Search": "direct",
            "Sites": "direct",
            "TrainingConfig": "experiments",
            "analyse": "analysis",
            "analyze_checkpoint": "checkpoints",
            "analyze_training_history": "checkpoints",
            "batch_analysis_summary": "checkpoints",
            "compare_checkpoints": "checkpoints",
            "create_model": "network",
            "dcmnet_analysis": "checkpoints",
            "fit_sites": "direct",
            "prepare_datasets": "preparing",
            "run_training": "training",
            "train_model": "training",
        },
    )
