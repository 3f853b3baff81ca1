"""Transfer learning: labelled pictures to a classifier whose figures can be trusted."""
