"""A run on disk: a folder with everything about one training.

settings     what config.json holds
run          the folder: records, pictures, the best and the last checkpoint
checkpoint   tensors and counters, written completely or not at all
"""
