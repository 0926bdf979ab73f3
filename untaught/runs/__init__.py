"""A run on disk: a folder with everything about one training.

settings     what config.json holds
run          the folder: records, pictures, the best and the last checkpoint
matching     other data as a run's model knows its own
encoders     existing encoders: a run's, or a named network's with a file of weights
published    settings and weights alone, in a folder or on the hub of models
checkpoint   tensors and counters, written completely or not at all
"""
