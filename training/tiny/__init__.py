"""Training zim-tiny, the small model with early prompts."""
