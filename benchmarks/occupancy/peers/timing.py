"""How long occupancies in torch take to make and to differentiate."""

import time
from statistics import median

import torch

WARM = 5


def costs(ways, repeats):
    """The median of the seconds that one call and its backward pass take, of several ways that take turns."""
    measured = [[] for _ in ways]
    for turn in range(WARM + repeats):
        for way, seconds in zip(ways, measured, strict=True):
            begun = time.perf_counter()
            way().sum().backward()
            if turn >= WARM:
                seconds.append(time.perf_counter() - begun)
    return list(map(median, measured))


def bare(atoms, per_group):
    """What cannot be left out: the sigmoid of one parameter for each group, looked up for every atom."""
    parameters = torch.zeros(-(-atoms // per_group), requires_grad=True)
    expansion = torch.arange(atoms) // per_group
    return lambda: torch.sigmoid(parameters)[expansion]
