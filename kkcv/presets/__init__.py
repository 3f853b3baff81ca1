"""Embedders of today by one word: presets.csv has a line for each, preset.py reads it."""
