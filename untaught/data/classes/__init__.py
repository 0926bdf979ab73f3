"""Where classes come from.

class_folders  what the folders of a source say: parts, classes
class_names    numbers for the names of classes
"""
