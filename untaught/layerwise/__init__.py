"""Autoencoders of which layer is trained on layer: what they share. A system is a subclass in `models/`.

stack    the layers, their stages, the loss of one and of all
unroll   a stack of machines becomes one deep autoencoder
"""

from untaught.layerwise.stack import Added as Added
from untaught.layerwise.stack import Layerwise as Layerwise
from untaught.layerwise.stack import Units as Units
