"""The same payload through every protocol of question 1, so that they can be compared.

Used by the notebook on choosing and by benchmarks/protocols.py. `contestants` lists the protocols;
each has a module with its client's function, which is what is measured and counted, and with its
receiver, which runs as a process of its own and keeps a `ledger`. `payloads` are what is sent,
`measure` measures.
"""
