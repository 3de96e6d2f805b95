"""Removing objects from photos: the dialog and its controller."""
