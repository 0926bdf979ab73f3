"""Where commands print to: streams that are closed, full or of another encoding, and narrow terminals.

streams   standard input, output and error, as they must be for a command to end well
columns   terminals in which a table has no room
progress  the bar of a training, or plain lines
measured_tables   measures as tables
"""
