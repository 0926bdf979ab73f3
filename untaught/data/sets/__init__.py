"""Named sets, one file each: a file that defines `load` and `Options` is a name that `--data` understands."""
