"""Tables of published numbers beside ours, each of ours from a recorded training.

paper      what a file of `papers/` says
find       papers by name, and what is wrong with one
records    one JSON for each experiment, budget and seed
measuring  what is measured of a network, while it learns and after
running    an experiment becomes a record
cells      records become the cells of a table
markdown   a paper's page
"""

from untaught.tables.paper import BUDGETS as BUDGETS
from untaught.tables.paper import Budget as Budget
from untaught.tables.paper import Column as Column
from untaught.tables.paper import Experiment as Experiment
from untaught.tables.paper import Paper as Paper
from untaught.tables.paper import Published as Published
from untaught.tables.paper import Row as Row
from untaught.tables.paper import Table as Table
from untaught.tables.paper import Take as Take
from untaught.tables.paper import Watch as Watch
