"""How a model is trained: everything decided once, then one loop.

plan         model, and for each stage learner, recipe, view, parts and clock: decided before the first step
fit          the loop, read downwards
step         one optimisation step, made fast
optimisers   how gradients become steps
clock        how long a stage lasts, and when it measures and saves
held_out     what is measured on held-out data
memory       what a training needs, refused before it begins
resume       what a checkpoint holds of a training
devices      devices, precision, processes
"""
