"""WhisperX as a transcriber, and the download of its models."""
