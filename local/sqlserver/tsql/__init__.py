"""T-SQL as far as a client that restores databases speaks it: text in, statements out. Pure.

What the grammar here does not know is refused when the batch is parsed, before anything runs:
error 102 where it is no T-SQL, 50000 "not simulated" where a real server might know it.
"""
