"""SA1B-Matte: building and reading shards of mattes made from SA-1B's masks."""
