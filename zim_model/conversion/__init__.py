"""The label converter: a coarse label and an image in, a matte out."""
