"""Adapting a model to the user's corrections."""
