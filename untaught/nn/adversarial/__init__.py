"""What games between a generator and a discriminator need.

adversaries            both networks, dense or convolutional, chosen by name
generator_network      from latents to examples
discriminator_network  from examples to logits and features
verdicts               losses of the two players
minibatch              features that compare an example with the others of its batch
virtual_norm           batch normalisation by a fixed batch
weight_norm            weights that learn a direction alone
parameter_history      how far parameters are from their average so far
energy_distance        how far samples are from examples
translator_network     from pictures of one kind to pictures of another
patch_discriminator    judges every part of a picture by itself
picture_pool           pictures that were made before
"""
