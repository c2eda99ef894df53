"""Audio windows, voice activity, and removal of hallucinated words."""
