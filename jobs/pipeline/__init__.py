"""The video pipeline, without Django: from a video to subtitles and a subtitled video.

Its stages, in the order of `stage.Stage`: fetch, transcribe, translate, subtitle, render.
"""
