"""Speakers by WhisperX's pipeline of pyannote.audio, for those who have accepted the conditions of its models."""
