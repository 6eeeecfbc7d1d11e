"""Readers of what other programs keep in memory-mapped files, one module for each layout.

==============  ===========================================================  ================================
`first_design`  ``offsets.npy, n_atoms.npy, Z_pack.int32, R_pack.f32, ...``  nothing says the units
`openqdc`       ``energies.mmap, atomic_inputs.mmap, ...``                   units by the data set that it is
`torchmdnet`    ``NAME.{idx,z,pos,y,neg_dy,q,pq,dp}.mmap``                   angstrom, eV and e
==============  ===========================================================  ================================

None of these files says what it is; all that opening one can do, and does, is compare their sizes with each other.
"""
