"""The figures of a trained classifier, its plots and its report."""
