"""The network: encoder, prompt encoder, decoder, and what they are made of."""
