"""SA1B-Matte: SA-1B's masks as mattes, in shards, written and read."""
