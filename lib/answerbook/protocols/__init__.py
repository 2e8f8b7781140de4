"""Question 1: a local peer for each protocol, so that every lesson runs offline.

Each module has a `serve` that starts one on a free loopback port, waits until it listens, and
returns a `peer.Peer`: its address, `stop()`, and the same as a `with` block. Whatever happens to
the program that started a peer, the peer ends with it.
"""
