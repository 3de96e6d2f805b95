"""Decoders, one module per file format; :mod:`zim_app.core.decoding` chooses one.

Each reads the container itself, in Python, and gives native decoders only the parts of
the first picture, in the form that the format's specification prescribes.  Metadata is
read apart from the pixels, so that damage in it costs the metadata alone.
"""
