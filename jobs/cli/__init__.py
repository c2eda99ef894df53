"""The command line's view of a job: its options, following it, showing progress, exporting results."""
