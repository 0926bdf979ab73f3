"""What the layers of a network still know of a picture: it is brought back from each of them.

ways_back        decoders from every layer, which learn together on the frozen network
inverted         the whole of it: decoders learn, pictures come back, errors are measured
inverted_layers  errors of every layer, and where information is lost
inversion_sheet  the picture: a row for each layer, a column for each way back
"""
