"""Sigmoid belief networks: the network, exact sums and inference, and a narrow network for any distribution."""
