"""One encoder, many teachers: the same data, the same number of updates, and what the features of each then know.

variant   one model in one configuration
trial     one variant, trained from one seed and measured
summary   means and spreads over seeds
picture   the same as points
"""
