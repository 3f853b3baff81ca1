"""How a network becomes a picture: its stages as boxes, its blocks as graphs, both as SVG."""
