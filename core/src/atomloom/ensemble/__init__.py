"""Ensembles: runs of several members that differ by their seeds, and whose spread says how far they are to be trusted.

::

    fitting      fit the members, one after the other, and go on after a kill
    spread       mean and standard deviation of members       predictor   members that predict together
    calibration  the factor that makes a spread an uncertainty, and how good it is
    students     the distribution of errors in units of a spread of few members
    uncertainty, report   uncertainties held against errors, as sections of reports
    selecting, likeness   the frames of a pool to label next, none like another
"""

from atomloom.ensemble.calibration import Calibration, Scale
from atomloom.ensemble.predictor import Ensemble, loaded
from atomloom.ensemble.selecting import Selection, select
from atomloom.ensemble.spread import mean_and_spread

__all__ = ["Calibration", "Ensemble", "Scale", "Selection", "loaded", "mean_and_spread", "select"]
