"""How a model stands beside the trivial answer, in one sentence, and what to try where it is no better.

verdict   the sentence, from a quick measure or from what was evaluated
advice    what to try, by what the training shows
paired    a model beside a baseline, example by example
"""
