"""The evaluation window: run and inspect evaluations, and export reports."""
