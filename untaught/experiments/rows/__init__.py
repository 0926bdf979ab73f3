"""A row of a paper's table: trained in a run, measured, and recorded; many rows, several at a time.

runner     an experiment becomes a record
row_run    the run of a row, which goes on where it was stopped
taking     what is measured of a network, while it learns and after
job_order  rows that are yet to be run: in which order, and how long they take
at_once    several rows at a time, each in a process of its own
"""
