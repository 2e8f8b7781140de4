#!/bin/bash
# Answers `kafka-cluster.sh cluster-id --bootstrap-server HOST:PORT` for a health check: whether the
# broker answers a request for its API versions. The real program's jar is not among the broker's.
set -euo pipefail

server="${*: -1}"
exec 3<>"/dev/tcp/${server%:*}/${server##*:}"
# Length 13, then: API key 18 (ApiVersions), version 0, correlation 7, client id "abc".
printf '\x00\x00\x00\x0d\x00\x12\x00\x00\x00\x00\x00\x07\x00\x03abc' >&3
answer="$(timeout 10 head -c 10 <&3 | od -An -tx1 | tr -d ' \n')"
# Four bytes of length, then the same correlation and error code 0.
[ "${answer:8}" = 000000070000 ]
