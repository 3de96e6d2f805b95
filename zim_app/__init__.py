"""zim-studio: the application around the matting engine."""
