"""What autoencoders share, above all those of which layer is trained on layer. A system is a subclass in `models/`.

coded    two networks and a code between them
greedy   the layers, their stages, the loss of one and of all
unroll   a stack of machines becomes one deep autoencoder
"""

from untaught.layerwise.greedy import Added as Added
from untaught.layerwise.greedy import Layerwise as Layerwise
from untaught.layerwise.greedy import Units as Units
