"""Commands and keys: tables, menus made from them, and the user's shortcuts."""
