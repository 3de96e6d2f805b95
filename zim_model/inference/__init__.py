"""From prompts to mattes."""
