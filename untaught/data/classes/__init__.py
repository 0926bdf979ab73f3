"""Where classes come from.

class_folders  what the folders of a source say: parts, classes
class_names    numbers for the names of classes
divided_clips  sets of labelled clips whose file names say the part
"""
