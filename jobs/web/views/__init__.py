"""The views of pages, downloads and the JSON API."""
