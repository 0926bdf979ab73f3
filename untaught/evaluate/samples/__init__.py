"""Judging samples: what a set of drawn examples has in common with a set of real ones.

judge       a small classifier of the data's own classes, trained here, through whose features samples are compared
frechet     the distance of two Gaussians, one fitted to each set's features
score       how sure a classifier is of each sample, and how varied its answers are
quadrature  exact divergences of known densities, and the Gaussians nearest to one
precision   and recall: which set lies within the other
nearest     the training examples next to each sample, by which copying is seen
"""
