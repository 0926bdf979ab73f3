"""The explorer: a local server and a page that show what a run learnt, and let a person steer it.

explored        what the panels look at: a model, test examples, their features
wire            what goes between page and server: numbers and pictures as bytes
panel           a panel, and what its requests may ask
panels          the panels that a run's capabilities allow
latent_panel    pictures decoded live from a plane of the latent space
latent_axes     directions of that space: units, principal components, true variables
dropped         a picture of one's own as the run would have seen it
draws_panel     samples, of a class where there are classes
chain_panel     Markov chains that go on while pixels are held
example_panel   the map of the test examples, groups and neighbours
clip_panel      frames of video, predictions and what is ahead
layer_panel     what a layer sees, and its filters
following       the records and pictures of a training, as they come
guard           who may ask, and how much
application     every request and its answer
serving         an address of this machine, and the server on it
"""
