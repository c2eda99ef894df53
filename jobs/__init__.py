"""Zirnevis: jobs that translate videos, their pipeline, and their pages."""
