"""What is common to autoencoders and to systems trained layer by layer. A system is a subclass in `models/`.

class_latents  a density with a class and latents, from few labels
coded          two networks and a code between them
decoding_pathway  mirrored blocks on a frozen encoder
from_components  defaults of what begins at principal components
from_noise     samples of a network that turns noise into examples
greedy         autoencoders of one hidden layer, in a stack: the loss of one and of all
greedy_stages  one stage for each layer of any stack
latent_outputs  which density of outputs suits the data
semi_supervised  labelled examples beside all of them in each step
suited         defaults for few large pictures and for documents
unroll         a stack of machines becomes one deep autoencoder
wide_range     defaults for values outside [0, 1]
"""

from untaught.layerwise.greedy import Added as Added
from untaught.layerwise.greedy import Layerwise as Layerwise
from untaught.layerwise.greedy import Units as Units
