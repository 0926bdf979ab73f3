"""Building blocks that depend on no model and no data.

dense           fully connected stacks and their mirrors
convolution     convolutional stacks of any frame size and their mirrors
sizes           layers of a convolutional stack, and how they change height and width
principal       principal component analysis
corrected       principal components, and networks that correct them
coders          an encoder and its mirrored decoder, dense or convolutional
temporal        what networks of video need: cores that run over time, motion between frames, a judge of frames
optical_flow    where each pixel of a frame is found in the next
vision_nets     AlexNet and VGG, with the names of parameters that published weights have
what_where      max pooling with switches, and four ways back
mirrors         ways back through a network: decoding pathways, the rungs of a ladder
energy          machines with an energy
belief          sigmoid belief networks
adversarial     games between a generator and a discriminator: both networks, losses, layers that look at a batch
latent          models with continuous latent variables: densities, networks
output_units    values of the output units, and their error
targets         losses for binary states and classes
noise           random draws that are unbiased under reduced precision
fixed_noise     noise as a function of the example
named           layers by name, weights as pictures
"""
