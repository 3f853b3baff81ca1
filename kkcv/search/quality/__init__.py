"""How good the answers of a gallery are, measured."""
