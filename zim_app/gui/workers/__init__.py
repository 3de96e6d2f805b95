"""What runs beside the thread of the window."""
