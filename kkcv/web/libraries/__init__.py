"""What the pages search and change: a gallery here, or one behind a service."""
