"""What models are made of: one module for each physical idea, shared by all JAX models and open to others.

::

    from data   pairs        vectors between atoms       segments     sums over the atoms of a frame, softmax
                elements     rows of a table             states       charge and multiplicity, and their range
    distances   bernstein    gaussian    bessel          cutoffs      radial, which puts both together
    layers      dense        residual    attention       norms        lengths and directions with finite gradients
                scalar_vector  messages of scalars and vectors        physnet      messages of scalars alone
                state_table  state_attention             conditioning on charge and multiplicity
                readouts     from features to energies, charges and vectors
    physics     conservation of charge       coulomb     zbl          multipoles   potential on grid points
                virials      forces and stress

Functions are pure; modules with parameters are flax.linen's. Features stand last. Lengths are in angstrom, energies in
eV, charges in e, potentials in hartree/e. Padding changes nothing, in values or in gradients.
"""

from atomloom_jax.blocks.attention import PairAttention
from atomloom_jax.blocks.bernstein import bernstein, exponential_bernstein, reciprocal_bernstein
from atomloom_jax.blocks.bessel import bessel
from atomloom_jax.blocks.conservation import conserve
from atomloom_jax.blocks.coulomb import COULOMB, coulomb_energy, damped_inverse
from atomloom_jax.blocks.cutoffs import CUTOFFS, bump, cosine, polynomial
from atomloom_jax.blocks.dense import ACTIVATIONS, dense, shifted_softplus
from atomloom_jax.blocks.elements import ElementTable, check_elements
from atomloom_jax.blocks.gaussian import exp_normal, gaussian
from atomloom_jax.blocks.multipoles import centroid, dipole, quadrupole, second_moment
from atomloom_jax.blocks.norms import bounded, safe_norm, smooth_norm, unit
from atomloom_jax.blocks.pairs import Pairs, displacements, pair_list, real_pairs
from atomloom_jax.blocks.physnet import Interaction, Output
from atomloom_jax.blocks.potential import BOHR, Budget, Grid, potential, potential_at
from atomloom_jax.blocks.radial import BASES, Radial
from atomloom_jax.blocks.readouts import AtomScalars, AtomVectors
from atomloom_jax.blocks.residual import Residual, ResidualStack
from atomloom_jax.blocks.scalar_vector import Message, Mixing, ScalarVectorLayers
from atomloom_jax.blocks.segments import Frames, masked, segment_mean, segment_softmax, segment_sum
from atomloom_jax.blocks.state_attention import StateAttention
from atomloom_jax.blocks.state_table import StateTable
from atomloom_jax.blocks.states import StateRange, States
from atomloom_jax.blocks.virials import forces, virial
from atomloom_jax.blocks.zbl import screening, zbl_energy

__all__ = [
    "ACTIVATIONS",
    "BASES",
    "BOHR",
    "COULOMB",
    "CUTOFFS",
    "AtomScalars",
    "AtomVectors",
    "Budget",
    "ElementTable",
    "Frames",
    "Grid",
    "Interaction",
    "Message",
    "Mixing",
    "Output",
    "PairAttention",
    "Pairs",
    "Radial",
    "Residual",
    "ResidualStack",
    "ScalarVectorLayers",
    "StateAttention",
    "StateRange",
    "StateTable",
    "States",
    "bernstein",
    "bessel",
    "bounded",
    "bump",
    "centroid",
    "check_elements",
    "conserve",
    "cosine",
    "coulomb_energy",
    "damped_inverse",
    "dense",
    "dipole",
    "displacements",
    "exp_normal",
    "exponential_bernstein",
    "forces",
    "gaussian",
    "masked",
    "pair_list",
    "polynomial",
    "potential",
    "potential_at",
    "quadrupole",
    "real_pairs",
    "reciprocal_bernstein",
    "safe_norm",
    "screening",
    "second_moment",
    "segment_mean",
    "segment_softmax",
    "segment_sum",
    "shifted_softplus",
    "smooth_norm",
    "unit",
    "virial",
    "zbl_energy",
]
