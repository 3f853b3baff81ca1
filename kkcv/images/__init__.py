"""Bytes to pixels to tensors: every picture takes the same way, wherever it comes from."""
