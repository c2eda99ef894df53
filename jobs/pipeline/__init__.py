"""What the product does, without Django: a video goes in, subtitles and a subtitled video come out.

The way of a video: fetch, transcribe, (cues), translate, subtitle, render. `stages` names them in order.
"""
