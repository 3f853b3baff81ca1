"""Looking after a gallery: backup, doctor, another network."""
