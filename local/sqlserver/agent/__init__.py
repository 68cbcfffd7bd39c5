"""The simulated SQL Server Agent: jobs, who may change them, what ran. No sockets, no T-SQL.

A job runs in a thread and a session of its own, so that it outlives the client that started it.
Who runs the text of a step is given by whoever starts the job; see `runner.StepRunner`.
"""
