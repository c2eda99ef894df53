"""Adapters to speech and translation systems: one module or package each, listed in `registry`."""
