"""One file for each paper, named by author and year: experiments, the paper's numbers, and where ours are found.

A file defines `PAPER`, an `untaught.experiments.Paper`; the folder is the registry.
"""
