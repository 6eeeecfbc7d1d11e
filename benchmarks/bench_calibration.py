"""Whether standard uncertainties of occupancies mean what they say: z-scores of simulated refinements.

Argument: how many simulations, 300 unless told. Each has five independent occupancies; where uncertainties are right
the root mean square of (found - true) / standard uncertainty is one, and 95.4 % are within two. Beyond the limits of
the first it fails.
"""

from __future__ import annotations

import sys

import numpy as np

from atomloom_occupancy.calibration import INDEPENDENT, z_scores

LIMITS = 0.9, 1.1


def judged(simulations: int, group_b: str) -> bool:
    """Print the table of one kind of refinement; whether its z-scores are within the limits."""
    z = z_scores(range(simulations), group_b=group_b)
    print(f"| B {'refined' if group_b else 'held'} | rms z | mean z | within 2 |")
    print("|---|---|---|---|")
    for name, row in (*zip(INDEPENDENT, z.T, strict=True), (f"all {np.isfinite(z).sum()}", z)):
        size = np.sqrt(np.nanmean(row**2))
        print(f"| {name} | {size:.3f} | {np.nanmean(row):+.3f} | {100 * np.nanmean(np.abs(row) < 2):.1f} % |")
    print()
    return bool(LIMITS[0] < np.sqrt(np.nanmean(z**2)) < LIMITS[1])


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    passed = [judged(many, kind) for kind in ("", "iso")]
    if not all(passed):
        raise SystemExit(f"The root mean square of all z is not between {LIMITS[0]} and {LIMITS[1]}.")
