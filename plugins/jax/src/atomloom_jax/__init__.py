"""The engine that trains every JAX model: one loop, correct under accumulation, bit-exact on resume, and watched.

::

    options, schedules, optimisers, averaging    what can be set, and what follows from it
    device_batch, feeding, sharing, devices      data on its way to the devices
    objective, step, train_state, programs       what is compiled; memory: what it takes
    metrics, gathering, table, pace, tensorboard what is measured, fetched and shown
    steering, saving, identity, blame            what is decided, kept, and told when numbers break
    training                                     the loop over all of them
    processes, joining, launching, commands      training in several processes
    model, references                            what a model extends
    backend, ops, named, precision               what core sees
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomloom.lazily import lazily

if TYPE_CHECKING:
    from atomloom_jax.device_batch import DeviceBatch
    from atomloom_jax.metrics import TrainingMetrics
    from atomloom_jax.model import JaxModel
    from atomloom_jax.options import Training
    from atomloom_jax.references import ELEMENTS, ReferencedModel, no_references, reference_energies
    from atomloom_jax.training import train_model_multibatch

__all__ = [
    "ELEMENTS",
    "DeviceBatch",
    "JaxModel",
    "ReferencedModel",
    "Training",
    "TrainingMetrics",
    "no_references",
    "reference_energies",
    "train_model_multibatch",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "DeviceBatch": "device_batch",
            "JaxModel": "model",
            "ELEMENTS": "references",
            "ReferencedModel": "references",
            "Training": "options",
            "TrainingMetrics": "metrics",
            "no_references": "references",
            "reference_energies": "references",
            "train_model_multibatch": "training",
        },
    )
