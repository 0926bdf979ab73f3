"""Many trainings and their measures: a paper's tables next to ours, and comparisons of systems with one encoder.

paper      what a file of `papers/` defines
find       papers by name, and what is wrong with one
rows       an experiment becomes a record; many of them, several at a time
records    one JSON for each experiment, budget and seed
cells      records become the cells of a table
few_labels  digits named from few labels, and error against their number
figures    figures of a paper, drawn from its records
markdown   a paper's page
overview   all papers on one page
variant    what `compare` compares: one model in one configuration
trial      one variant, trained from one seed and measured
summary    means and spreads over seeds
points     the same as a picture
"""

from untaught.experiments.paper import BUDGETS as BUDGETS
from untaught.experiments.paper import Budget as Budget
from untaught.experiments.paper import Column as Column
from untaught.experiments.paper import Experiment as Experiment
from untaught.experiments.paper import Paper as Paper
from untaught.experiments.paper import Published as Published
from untaught.experiments.paper import Row as Row
from untaught.experiments.paper import Table as Table
from untaught.experiments.paper import Take as Take
from untaught.experiments.paper import Watch as Watch
