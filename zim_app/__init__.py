"""zim-studio: the application, built on the matting engine of ``zim_model``."""
