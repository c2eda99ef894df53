"""Google's Gemini as a translator."""
