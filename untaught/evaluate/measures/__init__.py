"""One measure, one file: a pure function under its formula, its trivial baselines beside it."""
