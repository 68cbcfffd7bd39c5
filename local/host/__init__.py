"""An embedded Azure Functions host for one machine, with Durable Functions on SQLite.

It loads any Python v2 function app and serves it through the app's own azure-functions and
azure-functions-durable packages: nothing here knows what the app does, and the app does not know
this host. Start it with `python -m local --app DIR --port N`; `docs/embedded-host.md` is its
manual.

The floors, from pure to effectful. `history`, `instance`, `replay`, `rewind`, `status`, `links`,
`routes`, `timeline`, `ncrontab` and `gathering` hold rules and no I/O. `turns` and `entities` call
the SDK, by texts that go in and come out. `hub` is the SQLite file, which only the thread of
`writer` changes; it drives `orchestrations`, `activities` and `entity_batches`, and `client` is
what others may ask of it. `durable_api`, `http_api`, `event_grid`, `admin_api`, `page` and `timers`
are the ways in, and `service` puts all of it together.
"""
