"""Adapters to speech and translation systems: one file each, registered in `registry`."""
