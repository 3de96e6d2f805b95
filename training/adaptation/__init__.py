"""Adapting zim-tiny to a user's corrections: a short training of a copy."""
