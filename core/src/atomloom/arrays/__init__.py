"""Arrays in ``.npy`` and ``.npz`` files, read on demand and never with ``allow_pickle``.

`open_arrays` reads headers only. What it returns are `Rows`: they know their shape and read the rows asked for.
Where the values come from differs:

====================================================  ===============================================================
``.npy``, members of ``.npz`` that are not compressed  read in place, also within the zip archive
compressed members of up to 256 MiB                   decoded whole at the first touch, checked (CRC) and kept a while
larger compressed members                             decoded block by block up to the rows asked for, never kept
arrays of Python objects                              decoded by `atomloom.inert` to plain values: an `Inert`
====================================================  ===============================================================

Where the address space is limited (``ulimit -v``) nothing is mapped, and members from 1 MiB on are streamed.

Every damaged or dishonest file is a `DataError` that names the file and the member.
"""

from atomloom.arrays.objects import Inert
from atomloom.arrays.opening import open_arrays

__all__ = ["Inert", "open_arrays"]
