"""Batches: many images processed by one plan.

:mod:`.plan` lists the images and combines all settings, :mod:`.prompt_table` reads
tables of prompts, :mod:`.prompt_sources` finds the prompts of each image,
:mod:`.runner` and :mod:`.cluster` run a plan, :mod:`.journal` records the results,
:mod:`.resume` finds results of earlier runs, :mod:`.writing` writes files, and
:mod:`.reports` writes reports.
"""
