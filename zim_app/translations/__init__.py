"""The words of the window in other languages.

``python -m zim_app.translations`` brings them up to date with the sources.
"""
