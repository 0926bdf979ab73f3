"""The explorer: a local server and a page that show what a run learnt, and let a person steer it.

explored        what the panels look at: a model, test examples, their features
wire            what goes between page and server: numbers and pictures as bytes
panel           a panel, and what its requests may ask
panels          the panels that a run's capabilities allow
views           the panels, one a file
latent_axes     directions of a latent space: units, principal components, true variables
dropped         a picture of one's own as the run would have seen it
following       the records and pictures of a training, as they come
guard           who may ask, and how much
lanes           where a request is computed, and how many may wait
application     every request and its answer
serving         an address of this machine, and the server on it
"""
