"""Hostile input for every reader of files, from seeds: ``python -m tests.fuzz``."""
