"""Resumable uploads by tus."""
