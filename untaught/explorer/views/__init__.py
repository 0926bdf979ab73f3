"""The panels, one a file: when a run has it, what the page must know, and the requests that it makes.

latent_panel    pictures decoded live from a plane of the latent space
chain_panel     Markov chains that go on while pixels are held
clip_panel      frames of video, predictions and what is ahead
draws_panel     samples, of a class where there are classes
example_panel   the map of the test examples, groups and neighbours
layer_panel     what a layer sees, and its filters
"""
