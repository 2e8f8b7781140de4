"""The ingest API: events in over HTTP, answered 202 once Kafka has acknowledged them.

    program.py        the process: settings, the server, SIGTERM
    application.py    the addresses, and what lives as long as the program
    intake.py         POST /v1/events
    incoming.py       a request's content → records, or what is wrong with it
    states.py         GET /v1/events/{event_id}
    openapi.py        the document that says all this to a program; docs.py, to a person

Around them: times.py and identity.py (of an event), body.py, keyring.py and bucket.py (what a
request may do), problems.py (how one is refused), metrics.py.
"""
