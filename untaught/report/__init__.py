"""One page about one run: what it learnt, in pictures, curves and numbers, compared with trivial baselines.

page              the page, top to bottom
judging           the verdict on the model, kept for the page and told at the end of a command
measures          what was evaluated, as bars, tables and curves
learning_curves   how the loss fell
next_steps        the command that made the run, and those that can come next
gallery           what the model shows of itself, drawn where it is missing
charts            lines in two dimensions
style             how the page looks, in light and dark
words             parts of a loss, as people call them
"""

from untaught.report.page import record_evaluation as record_evaluation
from untaught.report.page import record_verdict as record_verdict
from untaught.report.page import write_report as write_report
