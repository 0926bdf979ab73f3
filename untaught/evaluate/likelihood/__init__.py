"""Partition functions: exactly, where one side of a machine can be summed over, and by annealed importance sampling."""
