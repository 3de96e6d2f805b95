"""The choice of model and device, and the model manager."""
