"""Threads, devices, files and clusters: what work runs on."""
