"""The command line's view of a job: following it, showing progress, exporting results."""
