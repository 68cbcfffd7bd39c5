"""Measures what the project promises about speed and memory: `make bench`, or `python -m bench`.

One module per subject, each with a function that yields figures; `subjects` lists them. `report`
prints the figures and writes `bench.json`. Nothing is asserted: a figure that misses its target is
shown as missed. The tests only look whether a quick run works.
"""
