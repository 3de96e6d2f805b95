"""Finding all objects of a picture, and picking among them."""
