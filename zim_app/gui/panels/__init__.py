"""The docked panels beside the canvas."""
