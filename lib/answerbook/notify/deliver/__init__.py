"""Deliver: takes notifications from Kafka, sends each to FCM, and writes what became of it.

`program.py` wires it together. `intake.py` is the thread that belongs to Kafka: it reads, pauses
and commits. Everything else runs on one event loop without locks: `worker.py` decides what becomes
of a notification, `sender.py` sends it, `outbox.py` writes the results, `window.py` knows what was
sent before. `policy.py` is the table of what is done about each of FCM's answers. `topics.py` and
`replay.py` are commands of an operator.

How one worker comes to hold the same partition numbers of all topics: every topic has the same
number of partitions, each worker subscribes to all of them in one consumer, and the group uses the
`range` assignor, which sorts the members and cuts each topic's partitions at the same places. So
what was sent from partition 3 is found in partition 3 of receipts.notifications, and nobody else
sends from a retry topic's partition 3. `range` rebalances eagerly: all workers stop, finish what
is in flight and commit before anyone is given a partition.
"""
