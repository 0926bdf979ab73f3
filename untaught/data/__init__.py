"""Data sets and batches. Nothing here knows a model.

source     what `--data` means: a spec or a path becomes a Source
spec       a spec taken apart: name, path, options
origin     which file a frame comes from, and when it is shown
part       frames in memory or on disk, and the table of clips over them
channels   grey as colour, colour as grey
scale      which value of whole numbers is white
classes    what folders and names say of classes and parts
telling    words for what is told of data
labels     how many labels a training knows
view       how batches are cut from a part: windows, patches, binarisation, standardisation, augmentation
batches    batches of a part, on the device or streamed
coverage   clips that are shorter than a window
row_places  where each row of an answer comes from
describe   counts, range, mean, classes of a source
sets       named sets, one file each
readers    readers of other libraries: data sets, loaders, tables, streams, shards
reading    files that people have: pictures, video, arrays
drawn_cache  pictures that took long to make, kept
heads      the renderer behind the set `heads`
"""
