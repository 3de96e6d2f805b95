"""The image on screen: zoom, view modes of the matte, prompts and strokes over it."""
