"""Core's readers, NPZ and NPY, and how any source is opened."""

from atomloom.readers.opening import expand, read, side_by_side, suggest

__all__ = ["expand", "read", "side_by_side", "suggest"]
