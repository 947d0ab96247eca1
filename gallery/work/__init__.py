"""One ledger for everything that workers do to pictures.

`analyser` says what an analyser is, `ledger` who works on which picture and what became of
it, `drain` is the loop of a worker, `failures` how work ends, `breakers` what is away,
`originals` reads files, `backfill` brings in pictures that were there before an analyser, and
`coverage` counts. Work that is none on pictures has `leases` of its rows and `lanes` of threads.
"""
