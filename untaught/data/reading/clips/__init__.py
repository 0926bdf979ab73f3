"""Clips as people keep them: what a decoded frame looks like, a part of a clip, frames as numbered pictures.

upright          turned and mirrored as the file says
frame_pixels     a decoded frame as bytes, laid on white
excerpt          from one moment to another, every n-th frame
frame_names      which pictures are frames of one clip, by the numbers in their names
sequences        clips whose frames are picture files
"""
