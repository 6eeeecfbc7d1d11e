"""Runs: folders in which fits keep their state, history and origin, and files that appear whole or not at all."""

from __future__ import annotations

from atomloom.runs.atomic import atomic_file, atomic_folder, atomic_path
from atomloom.runs.checkpoint import Checkpoint
from atomloom.runs.cite import bibliography, used
from atomloom.runs.crew import Crew
from atomloom.runs.epoch import Epoch
from atomloom.runs.fingerprint import fingerprint, origin
from atomloom.runs.folder import RunFolder, check_free, next_free
from atomloom.runs.following import Follower, joined
from atomloom.runs.provenance import describe
from atomloom.runs.run import Run

__all__ = [
    "Checkpoint",
    "Crew",
    "Epoch",
    "Follower",
    "Run",
    "RunFolder",
    "atomic_file",
    "atomic_folder",
    "atomic_path",
    "bibliography",
    "check_free",
    "describe",
    "fingerprint",
    "joined",
    "next_free",
    "origin",
    "used",
]
