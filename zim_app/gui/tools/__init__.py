"""Tools of the canvas, their gestures, and the tool bars."""
