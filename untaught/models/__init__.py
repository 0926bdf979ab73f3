"""One file per system; the file's name is the name that commands use."""
