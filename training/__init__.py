"""Training: data, augmentation, prompt sampling, losses, loops."""
