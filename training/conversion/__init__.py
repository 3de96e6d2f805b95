"""Training of the label converter on coarse labels derived from mattes."""
