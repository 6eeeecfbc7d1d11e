"""Values of which some are refined and the others are held: no sharing, no bounds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from atomloom.errors import ConfigError


class MixedTensor(nn.Module):
    """A tensor whose refinable elements are one parameter and whose other elements stay exactly as they were.

    Args:
        initial_values: of any shape.
        refinable_mask: of the same shape; None refines all.
        dtype: of the values; None keeps that of `initial_values`.
        device: where they lie.
        name: for messages.

    >>> b = MixedTensor(torch.tensor([20.0, 30.0]), torch.tensor([True, False]))
    >>> b().tolist(), b.refinable_params.shape
    ([20.0, 30.0], torch.Size([1]))
    """

    fixed_values: Tensor
    refinable_mask: Tensor

    def __init__(
        self,
        initial_values: Tensor,
        refinable_mask: Tensor | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        name: str = "parameter",
    ) -> None:
        super().__init__()
        values = torch.as_tensor(initial_values, dtype=dtype, device=device).detach().clone()
        mask = torch.ones_like(values, dtype=torch.bool) if refinable_mask is None else torch.as_tensor(refinable_mask)
        if mask.shape != values.shape:
            found = f"the mask has the shape {tuple(mask.shape)} and the values {tuple(values.shape)}"
            raise ConfigError(f"choose what to refine of the {name}", found, "Give one flag for each value")
        self.name = name
        self.register_buffer("fixed_values", values)
        self.register_buffer("refinable_mask", mask.to(device=values.device, dtype=torch.bool))
        self.refinable_params = nn.Parameter(values[self.refinable_mask])

    @property
    def shape(self) -> torch.Size:
        """The shape of `forward`."""
        return self.fixed_values.shape

    def get_refinable_count(self) -> int:
        """How many elements are refined."""
        return self.refinable_params.numel()

    def forward(self) -> Tensor:
        """All values, the refinable ones in their places."""
        return self.fixed_values.masked_scatter(self.refinable_mask, self.refinable_params)
