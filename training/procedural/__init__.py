"""Procedural images with exact alpha."""
