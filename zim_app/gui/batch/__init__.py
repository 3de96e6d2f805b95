"""The batch dialog: many pictures with one command, while the window goes on."""
