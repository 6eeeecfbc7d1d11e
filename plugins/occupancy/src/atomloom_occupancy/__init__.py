"""Crystallographic occupancies: refined exactly, under constraints that hold, with standard uncertainties.

::

    mixed, tensor, sharing       parameters in torch             model, grouping         a model with them
    structure                    models from files               reflections, free_flags, french_wilson   data
    states, finding, group_file  what is refined together        standard_form, active_set    constraints, exact minima
    structure_factors, transform, basis     F_calc, linear in q  mask, scaling           bulk solvent and overall scale
    likelihood, objective        the targets                     refining                the outer loop
    uncertainty, calibration     esds and flat directions        checking                a model without data
    job, writing, rounding, maps, viewers, result_table, page    what comes out          reading                 readers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atomloom_occupancy.job import Job
    from atomloom_occupancy.job import run as run_job
    from atomloom_occupancy.mixed import MixedTensor
    from atomloom_occupancy.model import Model
    from atomloom_occupancy.tensor import OccupancyTensor

__all__ = ["Job", "MixedTensor", "Model", "OccupancyTensor", "run_job"]

_HOMES = {
    "Job": ("job", "Job"),
    "MixedTensor": ("mixed", "MixedTensor"),
    "Model": ("model", "Model"),
    "OccupancyTensor": ("tensor", "OccupancyTensor"),
    "run_job": ("job", "run"),
}

if not TYPE_CHECKING:  # or a type checker would take every name for one that is there

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'atomloom_occupancy' has no attribute {name!r}")
        from importlib import import_module

        module, attribute = _HOMES[name]
        return getattr(import_module(f"atomloom_occupancy.{module}"), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
