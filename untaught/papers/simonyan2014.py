"""Simonyan, Zisserman 2014: two streams, frames and their optical flow, whose probabilities are averaged.

On generated clips of all kinds, `actions`: frames alone, flow alone and both, each seen one frame at a time, and by
recurrences on several levels.

References:
    Simonyan, Zisserman (2014). Two-stream convolutional networks for action recognition in videos. arXiv:1406.2199.

Departures:
    Small networks from random weights. The flow stream sees the flow of each frame, not a stack of ten; the source
    `flow:SPEC` stacks.
    With both streams there are twice as many weights.
"""

from __future__ import annotations

from untaught.experiments import Column, Paper, Published, Row, Table
from untaught.papers.ballas2016 import ERROR, learnt, own_clips, own_table

STREAMS = {"frames": "frames", "flow": "optical flow", "both": "both, averaged"}
NETWORKS = {"frames": "one frame at a time", "gru-rcn": "gru-rcn"}
SPLIT_1 = {"frames": 72.7, "flow": 81.0, "both": 85.9}
ALL_SPLITS = {"frames": 73.0, "flow": 83.7, "both": 86.9}
OWN_STREAMS = {
    f"{network}-of-{stream}": {"network": network, "stream": stream} for network in NETWORKS for stream in STREAMS
}

PAPER = Paper(
    title="Two-stream convolutional networks for action recognition in videos",
    reference="Simonyan, Zisserman (2014). NeurIPS",
    url="https://arxiv.org/abs/1406.2199",
    experiments={
        **{
            f"{network}-of-{stream}": learnt("mixed", network=network, stream=stream)
            for network in NETWORKS
            for stream in STREAMS
        },
        **own_clips(OWN_STREAMS),
    },
    tables=(
        Table(
            "generated clips of all kinds",
            (Column("error rate", "lower", 3),),
            tuple(
                Row(f"{shown}, {of}", f"{network}-of-{stream}", (ERROR,))
                for network, of in NETWORKS.items()
                for stream, shown in STREAMS.items()
            ),
            "Chance is 0.9.",
        ),
        own_table(OWN_STREAMS),
        Table(
            "UCF101",
            (Column("accuracy on split 1, %", "higher", 1), Column("mean of three splits, %", "higher", 1)),
            (
                *(
                    Row(
                        shown,
                        published=(
                            Published(SPLIT_1[stream], source="README of another implementation"),
                            Published(ALL_SPLITS[stream], source="table 4", recalled=True),
                        ),
                    )
                    for stream, shown in STREAMS.items()
                ),
                Row("both, support vector machine", published=(None, Published(88.0, source="table 4", recalled=True))),
            ),
        ),
    ),
)
