"""One small service, a currency desk, offered through four protocols of remote calls.

Used by the notebook on RPC. `exchange` is what the desk does. Four modules offer it on a free
loopback port, in a process of its own: `grpc_rates`, `graphql_rates`, `soap_rates`,
`jsonrpc_rates`. `traffic` counts what a call costs. Each `serve` takes the same two settings:

    contract="new"   a release later: Convert takes a rounding, and its answer names the rate
    pause=0.5        seconds that each rate takes to be found, as in a system that has to ask others

The files in `contract/` are what a client is made from; `contract/generate.py` makes the modules
beside it out of the .proto files.
"""
