"""One measure, one file, one pure function under its formula; the trivial baselines stand beside it."""
