"""Measurements: each beside the floor that no tool of this kind can be faster than, taken in the same run."""
