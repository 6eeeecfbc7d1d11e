"""Crystallographic occupancies: refined exactly, under constraints that hold, with standard uncertainties.

::

    mixed, tensor, sharing       parameters in torch             model, grouping         a model with them
    state_tensor, vertices       states under constraints        torch_target             targets
    torch_factors, splatting     F_calc in torch
    contacts, restraints         states that touch, --restrain   sharing_rules           residues that share
    structure, methods           models from files               reflections, free_flags, french_wilson   data
    friedel, twinning            pairs averaged, twins refused
    states, finding, group_*     what is refined together        standard_form, active_set    constraints, exact minima
    structure_factors, transform, basis     F_calc, linear in q  mask, scaling           bulk solvent and overall scale
    likelihood, objective        the targets                     refining                the outer loop
    uncertainty, calibration     esds and flat directions        checking                a model without data
    displacement, refining_b     B or U of states, together with occupancies
    profiling, evidence          near bounds, joint or separate
    crystal_fields, crystal_model, losses, harmonizers, occupancy_report, contract_examples    through the hooks
    job, writing, rounding, maps, viewers, result_table, page*   what comes out          reading                 readers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomloom.lazily import lazily

if TYPE_CHECKING:
    from atomloom_occupancy.job import Job
    from atomloom_occupancy.job import run as run_job
    from atomloom_occupancy.mixed import MixedTensor
    from atomloom_occupancy.model import Model
    from atomloom_occupancy.state_tensor import StateTensor
    from atomloom_occupancy.tensor import OccupancyTensor
    from atomloom_occupancy.torch_factors import StructureFactors
    from atomloom_occupancy.torch_target import OccupancyTarget

__all__ = [
    "Job",
    "MixedTensor",
    "Model",
    "OccupancyTarget",
    "OccupancyTensor",
    "StateTensor",
    "StructureFactors",
    "run_job",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Job": "job",
            "MixedTensor": "mixed",
            "Model": "model",
            "OccupancyTarget": "torch_target",
            "OccupancyTensor": "tensor",
            "StateTensor": "state_tensor",
            "StructureFactors": "torch_factors",
            "run_job": "job:run",
        },
    )
