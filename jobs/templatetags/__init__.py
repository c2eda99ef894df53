"""The package of template tags."""
