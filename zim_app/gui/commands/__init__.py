"""Commands and keys: the tables, menus made of them, and what the user changes."""
