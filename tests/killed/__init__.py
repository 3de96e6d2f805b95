"""Programs that are killed at any moment, and go on: ``python -m tests.killed``."""
