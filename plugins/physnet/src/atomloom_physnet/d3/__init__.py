"""The dispersion correction D3 of Grimme with the damping of Becke and Johnson, in JAX.

::

    damping        parameters by functional; nothing here needs JAX, so that options can be checked without it
    tables         reference data of the elements
    coordination   how many neighbours an atom has, as a smooth number
    coefficients   C6 between atoms, interpolated between reference systems
    energy         two-body and three-body energies of frames

Lengths are in angstrom and energies in eV outside, and in bohr and hartree inside. Everything is a smooth function of
the vectors between atoms, so forces and stress come by differentiation.

Literature: https://doi.org/10.1063/1.3382344 and https://doi.org/10.1002/jcc.21759
"""
