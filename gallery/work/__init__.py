"""One ledger for everything that workers do to pictures.

`analyser` says what an analyser is, `ledger` who works on which picture and what became of
it, `drain` is the loop of a worker, `breakers` what is away, `backfill` brings in pictures
that were there before an analyser, and `coverage` counts.
"""
