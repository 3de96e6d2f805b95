"""Many pictures with one command: what to do, doing it, and telling what came of it.

:mod:`.jobs` lists the pictures, :mod:`.prompt_table` reads tables of prompts,
:mod:`.prompt_sources` finds what is asked of each picture, :mod:`.plan` joins them,
:mod:`.runner` does the work, :mod:`.journal` remembers it for the next time, and
:mod:`.reports` tells it.
"""
