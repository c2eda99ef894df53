"""Text of all languages: widths, line breaking, direction, scripts, encodings."""
