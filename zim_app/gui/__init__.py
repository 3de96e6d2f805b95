"""The graphical user interface.

``main_window`` connects the parts: a ``document`` (one image, its objects and its undo
history), the ``canvas`` with its ``tools``, the ``panels`` beside it,
``everything``-mode, ``files``, ``batch``, ``evaluation``, ``models``, ``commands`` and
``settings``.  ``workers`` run the engine and all file access off the window's thread.
"""
