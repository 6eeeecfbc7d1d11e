"""Is a model what it claims to be? Each promise is measured on the frames at hand, with its unit and its tolerance.

::

    moving      how fields of any dims turn, shift and are relabelled      precision   float64 where a backend can
    trial       a model with a few frames and what it predicts for them    symmetries  permutation, rotation, ...
    gradient    forces against finite differences of the energy           probes      all of them, in one table
    additivity  charges that add up, fragments that do not see each other  judging     the post-processor ``invariance``

The conformance kit measures a model with a fresh state on the data of its example, the post-processor one that was
fitted, on any data.
"""

from atomloom.invariance.judging import invariance
from atomloom.invariance.probes import PROBES, Probe
from atomloom.invariance.trial import Deviation, Trial

__all__ = ["PROBES", "Deviation", "Probe", "Trial", "invariance"]
