"""Question 2: the notification system, as programs that an operator deploys.

    clients ─▶ api ─▶ events ─▶ render (Spark) ─▶ notifications ─▶ deliver ×N ─▶ FCM or `emulator`
                                                       receipts ─▶ track ─▶ PostgreSQL;  audit

Each subpackage is one program, with a `program.py` whose `main(settings)` runs until SIGTERM:
`answerbook notify api` and so on. None imports another: what they share is the contract
(`records.py`), one Kafka client (`kafka.py`), and how a program is watched and ended
(`running.py`). They read addresses from `config.NotifySettings` and start no service themselves.
"""
