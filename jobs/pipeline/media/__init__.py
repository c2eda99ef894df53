"""Probing, encoding and atomic writing of media files by ffmpeg."""
