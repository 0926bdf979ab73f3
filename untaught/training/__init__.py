"""How a model is trained: everything is decided once, then one loop runs.

plan         model, and for each stage learner, recipe, view, parts and clock: decided before the first step
fit          the loop, to be read from top to bottom
feeds        what one step draws from the data
step         one optimisation step, and what makes it fast
optimisers   how gradients become steps
clock        how long a stage lasts, and when it measures and saves
held_out     what is measured on held-out data
memory       the memory that a training needs, checked before it begins
resume       the state of a training in a checkpoint
devices      devices, precision, processes
"""
