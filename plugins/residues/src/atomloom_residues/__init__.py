"""Force errors by residue, averages of checkpoints, and batches that fit proteins, for any model.

::

    profiles, choosing        weights of checkpoints         checkpoint_file, trees   files of any kind as trees
    series                    which files are one training   averaging, soup          trees put together
    judging, recipe           an average from a folder       tree_writing             and as a file again
    protein_source            an NPZ of a protein            amino_ids                one numbering for all
    combining, padded_npz     padded files of many           bucket_reading, _loader  and back, as data and batches
    bucket_costs              what padding wastes            chains, chain_prior      data and a model to try on
    forces, force_measures    forces bead by bead            strata, blocks           how they are divided
    bootstrap                 intervals                      residue_errors           all of it together
    residue_report, _files    told, drawn and written        structure_writing        and shown on a structure
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomloom.lazily import lazily

if TYPE_CHECKING:
    from atomloom_residues.averaging import average
    from atomloom_residues.bucket_loader import BucketedDatasetLoader
    from atomloom_residues.checkpoint_file import read_tree
    from atomloom_residues.combining import combine_and_pad_npz, combine_and_pad_npz_bucketed, pad_individual_npz
    from atomloom_residues.per_residue import compute_per_residue_errors
    from atomloom_residues.residue_files import plot_per_residue_rmse
    from atomloom_residues.structure_writing import write_on_structure

__all__ = [
    "BucketedDatasetLoader",
    "average",
    "combine_and_pad_npz",
    "combine_and_pad_npz_bucketed",
    "compute_per_residue_errors",
    "pad_individual_npz",
    "plot_per_residue_rmse",
    "read_tree",
    "write_on_structure",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "BucketedDatasetLoader": "bucket_loader",
            "average": "averaging",
            "combine_and_pad_npz": "combining",
            "combine_and_pad_npz_bucketed": "combining",
            "compute_per_residue_errors": "per_residue",
            "pad_individual_npz": "combining",
            "plot_per_residue_rmse": "residue_files",
            "read_tree": "checkpoint_file",
            "write_on_structure": "structure_writing",
        },
    )
