"""The function app: registers the blueprints, nothing else."""

import azure.durable_functions as df

import activities
import orchestrators
import triggers

app = df.DFApp()
app.register_functions(triggers.blueprint)
app.register_functions(orchestrators.blueprint)
app.register_functions(activities.blueprint)
