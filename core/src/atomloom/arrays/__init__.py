"""Arrays in ``.npy``, ``.npz`` and raw files, read on demand and never with ``allow_pickle``.

`open_arrays` reads headers only, `open_raw` takes a file without one for what it is told that it is. What they return
are `Rows`: they know their shape and read the rows asked for.
Where the values come from differs:

====================================================  ===============================================================
``.npy``, members of ``.npz`` that are not compressed  read in place, also within the zip archive
raw files                                              read in place; their size must be a whole number of rows
compressed members of up to 256 MiB                   decoded whole at the first touch, checked (CRC) and kept a while
larger compressed members                             decoded block by block up to the rows asked for, never kept
arrays of Python objects                              decoded by `atomloom.inert` to plain values: an `Inert`
====================================================  ===============================================================

Where the address space is limited (``ulimit -v``) nothing is mapped, and members from 1 MiB on are streamed.

Every damaged or dishonest file is a `DataError` that names the file and the member.
"""

from atomloom.arrays.objects import Inert
from atomloom.arrays.opening import open_arrays
from atomloom.arrays.raw import open_raw

__all__ = ["Inert", "open_arrays", "open_raw"]
