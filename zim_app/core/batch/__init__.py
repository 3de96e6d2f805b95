"""Many pictures with one command: what to do, doing it, and telling what came of it.

:mod:`.jobs` lists the pictures, :mod:`.prompts` reads tables of prompts,
:mod:`.sources` finds what is asked of each picture, :mod:`.plan` joins them,
:mod:`.runner` does the work, :mod:`.journal` remembers it for the next time, and
:mod:`.reports` tells it.
"""
