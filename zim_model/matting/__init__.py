"""Algorithms on the pixels of mattes and colours, without a network."""
