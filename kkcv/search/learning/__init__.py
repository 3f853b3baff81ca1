"""What a gallery learns from labels and clicks."""
