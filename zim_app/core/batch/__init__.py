"""Batches: many images processed by one plan.

:mod:`.jobs` lists the images, :mod:`.prompt_table` reads tables of prompts,
:mod:`.prompt_sources` finds the prompts of each image, :mod:`.plan` combines all
settings, :mod:`.runner` and :mod:`.cluster` run a plan, :mod:`.journal` records the
results, :mod:`.resume` finds results of earlier runs, :mod:`.writing` writes files, and
:mod:`.reports` writes reports.
"""
