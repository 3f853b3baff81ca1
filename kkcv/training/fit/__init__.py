"""The training loop: stages, batches, the resume point."""
