"""One ledger for everything that workers do to pictures.

`analyser` defines an analyser, `ledger` records who works on which picture and with what
result, `drain` is the loop of a worker, `failures` names the ways in which work fails,
`breakers` tracks what is unavailable, `originals` reads files, `backfill` adds rows for
pictures that are older than an analyser, and `coverage` counts. All other work uses `leases`
(of rows) and `lanes` (of threads).
"""
