"""Reading what people have: pictures, video, arrays.

folder     the files of a folder: kind, order, classes, broken ones
images     a folder of pictures; picture decodes one, resize brings pictures to one size
video      video files; video_index tells which frame is which, video_frames reads windows
arrays     .npy, .npz and arrays in memory; layout says what axes and values mean
download   named sets, fetched once with a checked digest; idx is the format of two of them
"""
