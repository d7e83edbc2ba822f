"""Main: starts every process, respawns dead ones, replaces workers one at a time, and stops everything in stages.

Process: main. `child_process`, `launch` and `forkserver` also run in the processes that main starts;
`embedded_database` and `sandbox_process` are managed processes themselves.

* `supervisor`: the loop; it drives the modules below
* `process_table`, `respawn`, `backoff`: which processes there are, and when a dead one starts again
* `rolling_restart`, `health_monitor`: replace workers; find stalls and memory growth
* `graceful_shutdown`, `shutdown_responder`: stop in stages; answer late connections with 503
* `control`, `control_requests`, `terminal`: signals, `make reload`, `make scale`
* `status_publisher`, `startup_lines`: what the scoreboard and the terminal show
* `sanic_internals`: every private name of Sanic

Import from the modules: a managed process must not load the supervisor to use `child_process`.
"""
