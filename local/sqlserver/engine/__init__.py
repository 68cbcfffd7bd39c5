"""The simulated instance: databases, what was restored to them, who is connected. No sockets.

It is the judge of the product's planner, so its rules are its own: nothing here imports
`shared.chain`, `shared.acceptance` or `shared.targets`. Only the reader of backup files and the
values it returns are shared.
"""
