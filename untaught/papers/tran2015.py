"""Tran, Bourdev, Fergus, Torresani, Paluri 2015: C3D, convolutions over space and time.

Filters of 3x3x3 see what moves; frames one at a time do not. Both have as many weights and updates, on generated clips
whose classes need looks, or motion from one frame to the next, or the order of events two and sixteen frames apart.

References:
    Tran, Bourdev, Fergus, Torresani, Paluri (2015). Learning spatiotemporal features with 3D convolutional networks.
    arXiv:1412.0767.

Departures:
    Three layers on generated clips, not eight on Sports-1M; no padding and no pooling in time, so that the extent is
    exact.
"""

from __future__ import annotations

from untaught.experiments import Column, Paper, Published, Row, Table
from untaught.papers.ballas2016 import ERROR, learnt, own_clips, own_table

TASKS = {"appearance": "appearance", "local": "local", "global&gap=2": "2 apart", "global&gap=16": "16 apart"}
ROWS = {"conv3d": "convolutions over time", "frames": "frames alone"}
OWN_NETWORKS = {kind: {"network": kind} for kind in ROWS}

PAPER = Paper(
    title="Learning spatiotemporal features with 3D convolutional networks",
    reference="Tran, Bourdev, Fergus, Torresani, Paluri (2015). ICCV",
    url="https://arxiv.org/abs/1412.0767",
    experiments={
        **{
            f"{kind}-{name.replace(' ', '-')}": learnt(task, network=kind)
            for kind in ROWS
            for task, name in TASKS.items()
        },
        **own_clips(OWN_NETWORKS),
    },
    tables=(
        Table(
            "generated clips",
            (Column("error rate", "lower", 3),),
            tuple(
                Row(f"{shown}, {name}", f"{kind}-{name.replace(' ', '-')}", (ERROR,))
                for kind, shown in ROWS.items()
                for name in TASKS.values()
            ),
            "Chance is 0.75 for looks and local motion, 0.5 for the order of events.",
        ),
        own_table(OWN_NETWORKS),
        Table(
            "UCF101",
            (Column("accuracy, %", "higher", 1),),
            (
                Row("C3D, one network", published=(Published(82.3, source="table 3", recalled=True),)),
                Row("C3D, three networks", published=(Published(85.2, source="Ballas et al. 2016"),)),
                Row("C3D and improved trajectories", published=(Published(90.4, source="table 3", recalled=True),)),
            ),
            "Features of a network that learnt Sports-1M, and a linear support vector machine.",
        ),
    ),
)
