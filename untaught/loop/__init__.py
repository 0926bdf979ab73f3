"""What the training loop is made of, each an idea of its own.

step       one optimisation step, made fast
clock      how long a stage lasts, and when it measures and saves
heldout    the loss on held-out data
memory     what a training needs, refused before it begins
resume     what a checkpoint holds of a training
devices    devices, precision, processes
"""
