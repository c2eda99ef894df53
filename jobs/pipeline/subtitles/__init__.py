"""Cues: segmentation, styles, reading, writing and quality checks."""
