"""Weights on the disk, and where they come from."""
