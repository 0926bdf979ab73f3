"""Data sets and batches. One file per data set; nothing here knows a model.

source      what `--data` means: a spec or a path becomes a Source
part        frames in memory or on disk, and the table of clips over them
view        how batches are cut from a part: windows, patches, binarisation, standardisation, augmentation
batches     batches of a part, on the device or streamed
download    named sets, fetched once with a checked digest
"""
