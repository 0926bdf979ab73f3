"""One file for each paper, named author and year: what is trained, what the paper printed, where ours stands.

A file defines `PAPER`, an `untaught.experiments.Paper`; the folder is the registry.
"""
