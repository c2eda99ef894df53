"""Parsers of subtitle formats: each gives the events of a text, and the places that cannot be read."""
