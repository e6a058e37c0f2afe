"""An independent ISO 8583 client: sends what a peer would and prints what came back, as JSON.

It uses pyiso8583 and its default_ascii specification alone, so that it shares no code with the
switch. Arguments: host, port, card number, expiry (YYMM), currency.
"""

import json
import socket
import sys

import iso8583
from iso8583.specs import default_ascii as spec


def exchange(link, message):
    """Sends a message and gives the raw answer and its decoded fields."""
    raw, _ = iso8583.encode(message, spec)
    link.sendall(len(raw).to_bytes(2, "big") + raw)
    size = int.from_bytes(read(link, 2), "big")
    answer = read(link, size)
    return answer, iso8583.decode(answer, spec)[0]


def read(link, size):
    """Reads exactly `size` bytes."""
    data = b""
    while len(data) < size:
        part = link.recv(size - len(data))
        if not part:
            raise SystemExit("the switch closed the connection")
        data += part
    return data


def main():
    host, port, pan, expiry, currency = sys.argv[1:]
    connect = lambda: socket.create_connection((host, int(port)), timeout=30)
    purchase = {
        "t": "0100", "2": pan, "3": "000000", "4": "000000001250", "7": "1123120000",
        "11": "000001", "12": "120000", "13": "1123", "14": expiry, "18": "5411", "22": "012",
        "25": "00", "32": "123456", "37": "000000000001", "41": "TERM0001",
        "42": "MERCHANT0000001", "49": currency,
    }
    reversal = {
        **purchase, "t": "0400", "7": "1123120100", "11": "000002",
        "90": "0100" + "000001" + "1123120000" + "00000123456" + "0" * 11,
    }
    first, second = connect(), connect()
    steps = {
        "sign_on": exchange(first, {"t": "0800", "7": "1123115900", "11": "000009", "70": "001"}),
        "purchase": exchange(first, purchase),
        "identical": exchange(first, purchase),
        "repeat_new_de7": exchange(first, {**purchase, "t": "0101", "7": "1123120030"}),
        "repeat_elsewhere": exchange(second, {**purchase, "t": "0101"}),
        "reversal": exchange(first, reversal),
        "reversal_repeat": exchange(first, reversal),
        "reversal_0401": exchange(second, {**reversal, "t": "0401"}),
    }
    print(json.dumps({
        name: {"raw": raw.hex(), "fields": fields} for name, (raw, fields) in steps.items()
    }))


if __name__ == "__main__":
    main()
