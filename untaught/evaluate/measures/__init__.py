"""One measure a file: its formula, a pure function, and trivial baselines."""
