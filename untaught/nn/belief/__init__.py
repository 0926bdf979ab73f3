"""Sigmoid belief networks: the network and its exact sums, and how narrow a network can be that represents anything."""
