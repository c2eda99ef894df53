"""The package of Django's management commands."""
