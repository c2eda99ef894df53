"""PocketSphinx as a transcriber of English, for demonstrations."""
