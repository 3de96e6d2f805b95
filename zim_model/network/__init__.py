"""The networks: modules from tensors to tensors, and their configurations."""
