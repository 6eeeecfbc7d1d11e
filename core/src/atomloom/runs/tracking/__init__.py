"""Runs followed in Weights & Biases and MLflow, whatever engine fits them.

The table ``[tracking]`` of an experiment says which; nothing of these packages is imported before a run asks for them.

::

    services             which there are, and whether they are installed
    following            what a run tells them
    courier              a thread each, so that a slow or broken service neither delays nor ends a fit
    weights_and_biases   how Weights & Biases is told
    mlflow_client        how MLflow is told
"""

from atomloom.runs.tracking.following import continued, ended, started
from atomloom.runs.tracking.services import check

__all__ = ["check", "continued", "ended", "started"]
