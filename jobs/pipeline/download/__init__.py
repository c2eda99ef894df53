"""Download of videos from links, by yt-dlp in a child process behind a network guard."""
