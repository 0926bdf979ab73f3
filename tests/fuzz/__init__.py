"""A fuzzer: damaged and odd input through every command and estimator.

    inputs      pictures, videos, arrays, documents as people have them, drawn from a seed
    damage      what is done to them: bytes, JSON, words
    commands    a case for the command line
    estimating  a case for an estimator
    judge       runs a case under limits, and says what is wrong with how it ended
    campaign    many cases, counted
    __main__    `make fuzz`

A case is its number: the same number draws the same input and the same command. It has to end in exit 0, or in exit 2
with at most three lines; never in a traceback, after more than a minute, or with more than 4 GiB; and what stood there
before stays as it was. A training whose loss became infinite ends in exit 1, as `untaught.errors` says.
"""
