"""Servers with OpenAI's chat-completions API as a translator."""
