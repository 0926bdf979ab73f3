"""Machines with an energy: units, layers, how chains move. Each file opens with its equations."""
