"""Reading what people have: pictures, video, arrays.

folder         the files of a folder: kind, order, broken ones
images         a folder of pictures
picture        pictures of one file, decoded
deep_colour    colours of 16 bits, all of them
resize         pictures brought to one size
video          video files
video_index    when each frame of a video is shown
video_frames   windows of frames, decoded when they are read
clips          upright and transparent frames, parts of clips, numbered pictures
cuts           where one shot of a video ends and another begins
arrays         .npy, .npz and arrays in memory
array_files    such files, told apart by their content
layout         what the axes of an array mean
download       named sets, fetched once with a checked digest
idx            the format of MNIST and of sets like it
"""
