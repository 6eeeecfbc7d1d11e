"""File formats of molecular data for atomloom; what it brings is in `atomloom_formats.plugin`.

====================  ==========================================================================
`xyz_reading`         extended XYZ: one scan for the offsets of all frames, then frames on demand
`xyz_writing`         extended XYZ, without loss of a digit
`ase_reading`         ASE databases (SQLite), by row; `ase_writing` writes them
`hdf5_reading`        HDF5 in the shapes of SPICE, AIMNet2 and ANI; `hdf5_writing` writes AIMNet2's
`cube_reading`        Gaussian cube files of a potential or a density; `cube_writing` writes one
`esp_json`            ESP records of openff-recharge
`esp_text`            ESP files of Gaussian (Merz-Kollman) and of the RESP program
====================  ==========================================================================
"""
