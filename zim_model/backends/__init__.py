"""Backends: views of images, and networks that run on a device."""
