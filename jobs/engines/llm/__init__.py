"""Translation by language models: batches, prompts, validation of answers, retries."""
