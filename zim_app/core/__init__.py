"""The application without a window: pictures, recipes, composing, export."""
