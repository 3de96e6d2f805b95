"""ONNX: running the official pair of graphs, carrying it over, and writing it."""
