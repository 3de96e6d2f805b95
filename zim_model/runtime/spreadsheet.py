"""Cells of CSV files that spreadsheets show as they are."""

from __future__ import annotations

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that make a spreadsheet run a cell as a formula."""


def literal_cell(value: object) -> object:
    """A value for a CSV file; a text that would be a formula gets an apostrophe.

    So the name of a file cannot run anything where the table is opened.  Numbers stay.
    """
    if not isinstance(value, str) or not value.startswith(FORMULA_SIGNS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
