"""What a model has learnt, in numbers and pictures, each compared with trivial baselines.

evaluate          every measure that a model's capabilities and its data allow
subject           what is measured: a model, and data as the model sees them
quantity          a result of a measure: value, spread, baselines and description
measure           what a measure's file defines, and the JSON of its quantities
measures          one measure, one file
baselines         cheap methods to compare with: linear codes, and predictors that learn little or nothing
judgement         how a model stands beside the trivial answer, and what to try
wording           words for rows of numbers, which have no pixels
likelihood        partition functions, exact and by annealing
samples           what drawn examples have in common with real ones
drawing           pictures that a person can read
representations   features of the same examples by the model and by baselines
hidden_states     features, and the hidden and cell state of a network over time
variables         true variables of generated data
footage           clips in memory, for measures of prediction
embeddings        maps in two dimensions
image_quality     squared error, peak signal-to-noise ratio, structural similarity
in_squares        whole pictures through a model that was trained on square patches
ranking           how improbable a model finds each example, and examples in that order
hamming           search among binary codes
"""
