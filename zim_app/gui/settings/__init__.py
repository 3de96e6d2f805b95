"""Preferences, window state and the settings dialog."""
