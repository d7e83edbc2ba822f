"""HTTP answers, as bytes, for connections that are refused before a request is read.

Process: main, worker.
"""

REFUSALS = {
    "too_many_connections": (
        *(429, "Too Many Requests"),
        "Too many connections from this address; use fewer.",
    ),
    "connections_full": (
        *(503, "Service Unavailable"),
        "This worker has no room for another connection; try again.",
    ),
    "stopping": (
        *(503, "Service Unavailable"),
        "This instance stops and takes no more requests; try again.",
    ),
}


def refusal_answer(code: str) -> bytes:
    """Return the whole HTTP answer, which closes the connection; `code` is a key of REFUSALS."""
    status, reason, detail = REFUSALS[code]
    body = f'{{"type":"about:blank","title":"{reason}","status":{status},"detail":"{detail}","code":"{code}"}}'
    return (
        f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        f"retry-after: 1\r\nconnection: close\r\n\r\n{body}"
    ).encode()
