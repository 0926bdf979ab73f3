"""Ways back through a network that is a chain of layers.

layer_chain     the layers of a network in order, their names and shapes, the switches of its pooling
mirror          layer by layer back, in the network's own shape
pathways        an encoder in blocks, and a mirrored block for each
plain_layers    layers of our own stacks as torch's
input_search    back by a search for an input that gives the same
upconvolution   back by convolutions of enlarged maps, whatever the network's layers are
rungs           layers of a ladder, normalised over their batch, with a way back
"""
