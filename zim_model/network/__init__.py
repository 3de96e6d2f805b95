"""The architectures: modules that map tensors to tensors, and their configurations."""
