"""Published matting data sets in their original layouts."""
