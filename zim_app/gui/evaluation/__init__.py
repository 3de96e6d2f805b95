"""The evaluation window: run, watch, look into, and report measurements of models."""
