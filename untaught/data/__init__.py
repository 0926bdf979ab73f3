"""Data sets and batches. Nothing here knows a model.

source     what `--data` means: a spec or a path becomes a Source
spec       a spec taken apart: name, path, options
origin     which file a frame comes from, and when it is shown
part       frames in memory or on disk, and the table of clips over them
class_folders  what the folders of a source say: parts, classes
channels   grey as colour, colour as grey
scale      which value of whole numbers is white
class_names  numbers for the names of classes
telling    words for what is told of data
labels     how many labels a training knows
view       how batches are cut from a part: windows, patches, binarisation, standardisation, augmentation
batches    batches of a part, on the device or streamed
describe   counts, range, mean, classes of a source
sets       named sets, one file each
reading    files that people have: pictures, video, arrays
heads      the renderer behind the set `heads`
"""
