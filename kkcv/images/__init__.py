"""Bytes to pixels to tensors: one path for every picture, wherever it comes from."""
