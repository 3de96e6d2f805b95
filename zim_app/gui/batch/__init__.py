"""The batch dialog: process many images with one command in the background."""
