"""What networks of video are made of.

recurrent       LSTM, ConvLSTM and ConvGRU, one step at a time and over time
on_levels       convolutional recurrences on several levels of a network
dilated         a core without memory
cores           what carries information through time, by name
motion          changes before a frame, and moving a frame along a flow
between         what stands between a recurrent core and a decoder
video_encoders  frames alone, convolutions over time, recurrence on top, recurrence on several levels
pretexts        tasks that video poses without labels
discriminator   tells the true next frame from a proposed one
"""
