"""An embedded Azure Functions host for one machine, with Durable Functions on SQLite.

It loads any Python v2 function app and serves it through the app's own azure-functions and
azure-functions-durable packages: nothing here knows what the app does, and the app does not know
this host. Start it with `python -m local --app DIR --port N`; `docs/embedded-host.md` is its
manual.

The floors, from pure to effectful: `history`, `replay`, `rewind`, `status`, `routes`, `ncrontab`
hold rules and no I/O; `turns` and `entities` call the SDK; `hub` is the SQLite file; `engine` is
the one thread that writes to it; `durable_api`, `http_api`, `event_grid`, `admin_api` and `timers`
are the ways in; `service` puts them together.
"""
