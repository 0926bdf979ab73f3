"""Heads that turn before a camera: shape, paint and renderer of the set `heads`.

head_sculpture   the average head as a mesh
head_shape       a population of heads: what each coefficient moves and paints
head_model       a morphable head, ours or one from scans
mesh             triangle meshes drawn with a depth buffer
"""
