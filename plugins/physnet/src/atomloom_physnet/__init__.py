"""Potentials that know charge and spin: energies, forces, charges and dipoles of molecules in any electronic state.

::

    config                      the options of the model
    network, backbones          what is computed, in flax
    d3                          the dispersion correction D3, in JAX
    model, states, coverage     what atomloom trains: with data completed, checked, and references fitted
    neighbours, calculator      for ase: optimisations and molecular dynamics
    gaps, relaxing, cli         ionisation energies, electron affinities and gaps of a structure
    energy, exporting           potentials outside of atomloom: a pure function, one file
    bundled, demo               the data that come with the package, and a fit to them
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomloom.lazily import lazily

if TYPE_CHECKING:
    from atomloom_physnet.calculator import PhysNetCalculator
    from atomloom_physnet.config import Config
    from atomloom_physnet.model import PhysNet
    from atomloom_physnet.network import EF_ChargeSpinConditioned

__all__ = ["Config", "EF_ChargeSpinConditioned", "PhysNet", "PhysNetCalculator"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "Config": "config",
            "EF_ChargeSpinConditioned": "network",
            "PhysNet": "model",
            "PhysNetCalculator": "calculator",
        },
    )
