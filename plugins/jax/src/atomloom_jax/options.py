"""The options of a training: the ``[training]`` table of an experiment and the flags of ``atomloom train``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from atomloom.experiment.problems import Problem

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]

Optimizer = Literal[
    "adabelief", "adagrad", "adam", "adamax", "adamaxw", "adamw", "adan", "amsgrad", "lamb", "lion", "nadam", "nadamw",
    "novograd", "radam", "rmsprop", "sgd", "yogi",
]  # fmt: skip
Schedule = Literal["constant", "cosine", "exponential", "step", "plateau"]


class Training(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a JAX model is trained.

    A step is one update of the parameters, from ``batch_size * gradient_accumulation_steps`` frames whatever the number
    of devices; everything that is counted in epochs here is counted in updates inside.
    """

    num_epochs: Annotated[int, Meta(ge=1, description="passes over the data to train on")] = 100
    gradient_accumulation_steps: Annotated[int, Meta(ge=1, description="batches that make one update together")] = 1
    seed: Annotated[Count, Meta(description="of the initial parameters, of the order of frames and of noise")] = 0

    optimizer: Annotated[Optimizer, Meta(description="optimiser, by its name in optax")] = "adam"
    learning_rate: Annotated[Positive, Meta(description="learning rate after the warm-up")] = 1e-3
    weight_decay: Annotated[float, Meta(ge=0, description="decay of matrices, decoupled from the gradient")] = 0.0
    use_grad_clip: Annotated[bool, Meta(description="clip gradients by their global norm")] = True
    grad_clip_norm: Annotated[Positive, Meta(description="largest global norm of a gradient")] = 10.0

    use_lr_schedule: Annotated[bool, Meta(description="change the learning rate while training")] = True
    lr_schedule_type: Annotated[Schedule, Meta(description="how the learning rate falls after the warm-up")] = "cosine"
    warmup_epochs: Annotated[float, Meta(ge=0, description="epochs of linear warm-up, parts of one too")] = 0.0
    min_lr_factor: Annotated[Share, Meta(description="floor of the learning rate, as a share of it")] = 0.01
    lr_decay_factor: Annotated[
        Annotated[float, Meta(gt=0, lt=1)], Meta(description="factor of exponential, step and plateau")
    ] = 0.5
    lr_decay_epochs: Annotated[Positive, Meta(description="epochs to that factor, of exponential and step")] = 20.0
    plateau_patience: Annotated[int, Meta(ge=1, description="epochs without improvement before plateau acts")] = 10

    use_ema: Annotated[bool, Meta(description="average the parameters, for validation and for the result")] = True
    ema_decay: Annotated[float, Meta(ge=0, lt=1, description="decay of that average for each update")] = 0.999
    early_stopping_patience: Annotated[
        Count, Meta(description="epochs without improvement to stop after; 0: never")
    ] = 0
    early_stopping_min_delta: Annotated[Share, Meta(description="share of the loss that counts as improvement")] = 0.0

    save_every_n_epochs: Annotated[Count, Meta(description="keep a checkpoint every so many epochs; 0: none")] = 0
    keep_last: Annotated[int, Meta(ge=1, description="how many of these are kept")] = 3
    table_every_n_epochs: Annotated[Count, Meta(description="show a table of all metrics so often; 0: never")] = 1
    tensorboard: Annotated[bool, Meta(description="write the course of the training for TensorBoard as well")] = False
    lovely: Annotated[bool, Meta(description="tell the arrays by lovely-jax, at the start and where numbers break")] = (
        False
    )
    init_from: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="folder of the run whose best parameters to start from"),
    ] = None

    precision: Annotated[Literal["float32", "float64"], Meta(description="of parameters and computation")] = "float32"
    matmul_precision: Annotated[
        Literal["default", "high", "highest"], Meta(description="of matrix products; default is the hardware's fastest")
    ] = "highest"
    device: Annotated[
        Annotated[str, Meta(min_length=1)] | None, Meta(description="platform: cpu, gpu, tpu, ...; else JAX's choice")
    ] = None
    num_devices: Annotated[Count, Meta(description="devices that share the batches of an update; 0: all")] = 0
    prefetch: Annotated[int, Meta(ge=1, description="updates whose data is prepared ahead")] = 2

    def problems(self) -> Iterator[Problem]:
        """A warm-up that leaves nothing to train."""
        if self.use_lr_schedule and self.warmup_epochs >= self.num_epochs:
            found = f"is {self.warmup_epochs:g}, and there are {self.num_epochs} epochs"
            yield Problem(("warmup_epochs",), found, "Warm up for fewer epochs")
