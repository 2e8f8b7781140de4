"""Firebase Cloud Messaging as far as a server sees it, on this machine.

    plain HTTP/1.1 (http1) ─────────────────────────┐
    TLS, h2 or http/1.1 (tls, http2, http1) ────────┤─▶ router ─▶ fcm ─▶ validation, quota, faults,
    CONNECT proxy (proxy) ─▶ the same TLS ──────────┘      │             accepted (the record)
                                                           ├─▶ oauth, subscriptions
                                                           └─▶ control, /metrics, /healthz, /readyz

It behaves as Google documents and delivers nothing. `program.py` runs it; `client_side.py` says
what an unmodified client needs to reach it.
"""
