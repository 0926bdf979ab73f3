"""What a model has learnt, in numbers and pictures, with trivial baselines beside each.

evaluate          every measure that a model's capabilities and its data allow
subject           what a measure looks at: a model, and data as the model sees them
quantity          what a measure gives: a value, its spread, its baselines, and what it is
measure           what a measure's file defines, and the JSON of its quantities
measures          one measure, one file
baselines         what costs little: planes, and predictors that learn little or nothing
likelihood        partition functions, exact and by annealing
drawing           pictures that a person can read
representations   the same examples described by the model and by what costs nothing
hidden_states     features, and the hidden and cell state of a network over time
variables         true variables of generated data
footage           clips in memory, for measures of prediction
embeddings        maps in two dimensions
image_quality     squared error, peak signal-to-noise ratio, structural similarity
hamming           search among binary codes
"""
