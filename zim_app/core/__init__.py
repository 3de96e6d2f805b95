"""The application without a window: images, projects, sessions, batches, export."""
