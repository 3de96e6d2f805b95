"""Worker threads: engine, files and warm-up."""
