"""What the pointer does on the canvas, and the bars to choose it with."""
