"""Load on the notification system: what sends events, and what it keeps as proof of each answer.

    events ─▶ locustfile (shapes, latency from the scheduled time)   `answerbook load SHAPE`
           └▶ sender (as many as the system takes)                   `answerbook notify million`
                └▶ ledger: every event that was answered 202, on disk before it counts

`run` and `sending` start the two as processes of their own and give back what they measured, so
that neither gevent's patches nor the load itself come into a kernel. Nothing here imports `locust`
but `locustfile`, `page` and `pages`, which Locust loads. `pages` is about the search site.
"""
