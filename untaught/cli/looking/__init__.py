"""Commands that look into data or a network through what was learnt.

finding     `unusual`
inverting   `invert`
"""
