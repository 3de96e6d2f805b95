"""Published data sets in the layouts that their authors give them."""
