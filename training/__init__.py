"""Training of the models: data, augmentation, prompt sampling, losses, loops."""
