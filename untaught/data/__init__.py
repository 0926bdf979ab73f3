"""Data sets and batches. One file per data set; nothing here knows a model.

source       what `--data` means: a spec or a path becomes a Source
spec         a spec taken apart: name, path, options
part         frames in memory or on disk, and the table of clips over them
view         how batches are cut from a part: windows, patches, binarisation, standardisation, augmentation
batches      batches of a part, on the device or streamed
describe     counts, range, mean, classes of a source
folder       the files of a folder: kind, order, classes, broken ones
images       a folder of pictures; picture decodes one, resize brings pictures to one size
video        video files; video_index tells which frame is which, video_frames reads windows
arrays       .npy, .npz and arrays in memory; layout says what axes and values mean
download     named sets, fetched once with a checked digest; idx is the format of two of them

Every other file is a named set.
"""
