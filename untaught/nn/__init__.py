"""Building blocks that depend on no model and no data.

dense         fully connected stacks and their mirrors
convolution   convolutional stacks of any frame size and their mirrors
recurrent     LSTM, ConvLSTM and ConvGRU, one step at a time and over time
"""
