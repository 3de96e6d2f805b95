"""Procedural pictures with exact alpha."""
