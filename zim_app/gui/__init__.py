"""The window.

``main_window`` joins the parts: a ``document`` (one picture, its objects, its
history), the ``canvas`` with the ``tools`` in hand, the ``panels`` beside it,
``everything``-mode, ``files`` in and out, ``models``, ``commands`` and ``settings``.
``workers`` are the way to the engine, and all other work off the window's thread.
"""
