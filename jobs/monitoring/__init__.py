"""The health of the installation, the findings of `doctor`, and estimates of the time left."""
