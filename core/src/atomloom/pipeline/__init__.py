"""From an experiment to a fitted run, and from a run to predictions.

::

    sources   read, harmonise and join the data        splitting   divide it into train, valid and test
    job       match data, model and losses             fitting     create, fit, resume and report a run
    fitted    a run's model with its state             predicting  its predictions for a data set
"""

from atomloom.pipeline.fitted import Fitted
from atomloom.pipeline.fitting import fit, resume
from atomloom.pipeline.job import Job, prepare
from atomloom.pipeline.predicting import predict
from atomloom.pipeline.sources import Harmonised, load_data, load_paths
from atomloom.pipeline.splitting import Parts, split

__all__ = [
    "Fitted",
    "Harmonised",
    "Job",
    "Parts",
    "fit",
    "load_data",
    "load_paths",
    "predict",
    "prepare",
    "resume",
    "split",
]
