"""What the program remembers, and the dialog to change it."""
