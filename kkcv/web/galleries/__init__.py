"""The galleries behind the pages: one on this machine, or one behind a service."""
