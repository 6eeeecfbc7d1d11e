"""From what was asked to weights, and which choices are refused because they say something else than they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from atomloom.errors import ConfigError
from atomloom_residues import profiles
from atomloom_residues.profiles import Spread, Weights
from atomloom_residues.series import Series

SIGMA_REL = 0.15
"""The relative width of the profile where none is named."""

ALONE = 1.1
"""An average of fewer effective checkpoints is one file under another name."""

EVEN = 0.98
"""Where the oldest file has this share of the newest one's weight, the decay decays nothing."""


@dataclass(frozen=True)
class Request:
    """What a user asked for.

    Args:
        decay: of a moving average; `per` says for each what.
        profile: ``"power"`` or ``"uniform"``.
        sigma_rel: relative width of the power profile.
        last: how many files to average evenly.
        legacy: whether to do what scripts do, whatever comes of it.
        steps_per_epoch: where files are numbered by epochs and the decay is for each step.
    """

    decay: float | None = None
    per: Literal["step", "checkpoint"] | None = None
    profile: Literal["power", "uniform"] | None = None
    sigma_rel: float | None = None
    last: int | None = None
    legacy: bool = False
    steps_per_epoch: int | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        named = [f"--{name}" for name in ("decay", "profile", "last") if getattr(self, name) is not None]
        if len(named) > 1:
            raise ConfigError("average the checkpoints", f"{' and '.join(named)} are both given", "Give one of them")
        for name, needed in (("per", "decay"), ("legacy", "decay"), ("steps_per_epoch", "decay")):
            if getattr(self, name) and getattr(self, needed) is None:
                raise ConfigError(f"use --{name.replace('_', '-')}", f"--{needed} is not given", f"Give --{needed} too")
        if self.legacy and self.per:
            raise ConfigError("use --legacy", f"--per {self.per} is given", "Give one of them")
        if self.sigma_rel is not None and (named and self.profile != "power"):
            raise ConfigError("use --sigma-rel", f"it is not of {named[0]}", "Give `--profile power` with it")


class Chosen(NamedTuple):
    """Weights from the oldest file to the newest, and the rule that they come from in words."""

    rule: str
    weights: Weights

    @property
    def spread(self) -> Spread:
        """What they come to."""
        return Spread.of(self.weights)


def choose(request: Request, series: Series) -> Chosen:
    """The weights that were asked for; an error says why a choice makes no sense and what is near it."""
    if request.decay is not None:
        return _decayed(request, request.decay, series)
    if request.last is not None:
        if request.last == 1 and len(series.files) > 1:
            raise _degenerate("--last 1", "it is the newest file alone", series)
        return Chosen(f"the last {request.last}, evenly", profiles.last(len(series.files), request.last))
    sigma = SIGMA_REL if request.sigma_rel is None else request.sigma_rel
    gamma = 0.0 if request.profile == "uniform" else profiles.gamma_of(sigma)
    rule = "uniform profile" if request.profile == "uniform" else f"power profile of relative width {sigma:g}"
    chosen = Chosen(rule, profiles.power(series.times, gamma))
    if len(series.files) > 1 and chosen.spread.effective < ALONE:
        asked = f"--profile power --sigma-rel {sigma:g}"
        raise _degenerate(asked, _nearly_one(chosen), series)
    return chosen


def _decayed(request: Request, decay: float, series: Series) -> Chosen:
    count, asked = len(series.files), f"--decay {decay:g}"
    if request.legacy:
        return Chosen(f"moving average of files from the first on, decay {decay:g}", profiles.legacy(count, decay))
    if request.per is None:
        raise _unitless(decay, series)
    if request.per == "checkpoint":
        chosen = Chosen(f"debiased moving average, decay {decay:g} per file", profiles.debiased(count, decay))
        if count > 1 and chosen.weights[0] > EVEN * chosen.weights[-1]:
            found = f"over {count} files it decays nothing and is their plain mean"
            todo = f"Use `--last {count}` for that, or `--profile power --sigma-rel {SIGMA_REL}`"
            raise ConfigError(f"average with {asked} --per checkpoint", found, todo)
    else:
        times = series.times * _steps(request, series)
        chosen = Chosen(f"debiased moving average, decay {decay:g} per step", profiles.exponential(times, decay))
    if count > 1 and chosen.spread.effective < ALONE:
        raise _degenerate(f"{asked} --per {request.per}", _nearly_one(chosen), series)
    return chosen


def _steps(request: Request, series: Series) -> int:
    """Steps in the unit of the times."""
    if series.unit == "step":
        return 1
    if request.steps_per_epoch is None:
        found = f"the files are numbered by {series.unit}s"
        raise ConfigError("use a decay per step", found, "Say how many steps those have with --steps-per-epoch")
    return request.steps_per_epoch


def _unitless(decay: float, series: Series) -> ConfigError:
    weights = profiles.legacy(len(series.files), decay)
    spread = Spread.of(weights)
    found = (
        f"a decay says nothing without its unit; taken for each file, as scripts do, it leaves the first of "
        f"{len(weights)} files {100 * spread.oldest:.1f} % of the weight and the last {100 * spread.newest:.1f} % "
        f"(effective number {spread.effective:.2f})"
    )
    return ConfigError(f"average with --decay {decay:g}", found, f"{_near(series)}, say --per, or insist by --legacy")


def _degenerate(asked: str, found: str, series: Series) -> ConfigError:
    return ConfigError(f"average with {asked}", found, _near(series))


def _nearly_one(chosen: Chosen) -> str:
    newest = 100 * chosen.spread.newest
    return f"the newest file has {newest:.2f} % of the weight (effective number {chosen.spread.effective:.2f})"


def _near(series: Series) -> str:
    """The nearest good command."""
    weights = profiles.power(series.times, profiles.gamma_of(SIGMA_REL))
    effective = Spread.of(weights).effective
    if effective < ALONE:
        return "Keep more checkpoints towards the end of the training, or use `--last 2`"
    return f"Use `--profile power --sigma-rel {SIGMA_REL}` (effective number {effective:.2f})"
