"""Core's writers: NPZ, and how any target is written."""

from atomloom.writers.writing import check_target, write

__all__ = ["check_target", "write"]
