"""The zoo page: families of networks, and networks looking at a picture."""
