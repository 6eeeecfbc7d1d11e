"""Occupancy refinement beside other programs."""
