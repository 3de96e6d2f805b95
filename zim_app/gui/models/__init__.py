"""Choice of model and device, and the model manager."""
