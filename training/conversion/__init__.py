"""Training the label converter: coarse labels made from mattes."""
