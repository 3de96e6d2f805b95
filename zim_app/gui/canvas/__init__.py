"""The picture on screen: zoom, views of the matte, prompts and strokes over it."""
