"""Writes pyiso8583.json beside itself: messages packed by pyiso8583 (PyPI), an independent codec.

Run once, by hand, with pyiso8583 4.0.1 installed (`pip install pyiso8583`); the result is committed, so that
the tests need neither Python nor the package. The binary layout is stated here again, from the
standard's table and not from config/dialects, so that a mistake there is not repeated here.
"""

import copy
import json
import pathlib
import random

import iso8583
from iso8583.specs import default, default_ascii

# Fields of digits that the binary layout packs, two a byte; odd counts begin with a zero half byte.
PACKED = [*range(2, 28), 32, 33, 53, *range(66, 91), 99, 100]
SIGNED = [28, 29, 30, 31, 97]
TRACK2 = 35
# What a field may hold, where it is not any printable character.
DIGITS = set(PACKED) | {49, 50, 51}
ALPHANUMERIC = {37, 38, 39, 40, 91, 92, 93, 94, 95}
TRACK = {35, 36}
BINARY = {52, 55, 64, 96, 128}
NUMBERS = [n for n in range(2, 129) if n != 65]


def binary_layout():
    spec = copy.deepcopy(default)
    spec["t"].update(data_enc="b", max_len=2)
    for number in NUMBERS:
        field = spec[str(number)]
        if field["len_type"]:
            field.update(len_enc="bcd", len_type={2: 1, 3: 2}[field["len_type"]])
        if number in PACKED:
            field.update(data_enc="b", len_count="nibbles", left_pad="0")
        if number == TRACK2:
            field.update(data_enc="b", len_count="nibbles", right_pad="F")
        if number in SIGNED:  # the sign stays a character, which this package can only say in bytes
            field.update(data_enc="b", max_len=1 + field["max_len"] // 2)
    return spec


def value(rng, number, most=20):
    """A value at random, of at most `most` characters where the length is free (bytes, if binary).

    Numbers as long as a card number begin with 9999, which no issuer has.
    """
    field = (default if number in BINARY else default_ascii)[str(number)]
    longest = field["max_len"]
    length = rng.randint(min(longest, most) // 2 + 1, min(longest, most)) if field["len_type"] else longest
    pick = lambda alphabet, count: "".join(rng.choice(alphabet) for _ in range(count))
    if number in BINARY:
        return pick("0123456789ABCDEF", 2 * length)
    if number in TRACK:
        text = ("9999" + pick("0123456789", length))[:length]
        return text if length < 24 else text[:16] + "=" + text[17:]
    if number in SIGNED:
        return rng.choice("CD") + ("9999" + pick("0123456789", length))[: length - 1]
    if number in DIGITS:
        start = "9999" if length >= 13 else ""
        return start + pick("0123456789", length - len(start))
    if number in ALPHANUMERIC:
        return pick("ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz0123456789 ", length)
    return pick([chr(c) for c in range(0x20, 0x7F)], length)


def for_layout(layout, number, text):
    if layout == "iso87-bcd" and number == TRACK2:
        return text.replace("=", "D")
    if layout == "iso87-bcd" and number in SIGNED:
        return f"{ord(text[0]):02X}{text[1:]}"
    return text


def main():
    rng = random.Random(8583)
    messages = [
        ("0800", {7: "1123091500", 11: "000042", 70: "001"}),
        ("0810", {7: "1123091500", 11: "000042", 39: "00", 70: "001"}),
        ("0100", {2: "9999991234567890128", 3: "000000", 4: "000000001250", 7: "1123091500", 11: "000042",
                  12: "101500", 13: "1123", 14: "2912", 18: "5411", 22: "051", 25: "00", 32: "12345",
                  35: "9999991234567890=29122010000012345", 37: "RRN000000001", 41: "TERM0001",
                  42: "MERCHANT0000001", 43: "CORNER SHOP".ljust(25) + "SPRINGFIELD  US", 49: "840",
                  52: "0123456789ABCDEF", 55: "9F260801020304050607089F3602000195050000000000"}),
        ("0110", {2: "9999991234567890128", 3: "000000", 4: "000000001250", 11: "000042", 38: "A1B2C3", 39: "00",
                  41: "TERM0001", 54: "0002840C000000010000"}),
        ("0400", {2: "999999123456789", 3: "000000", 4: "000000001250", 11: "000043", 41: "TERM0001",
                  90: "010000004211230915000000001234500000000000"}),
        ("0100", {n: value(rng, n, most=999) for n in NUMBERS}),
        ("0101", {n: value(rng, n, most=1) for n in NUMBERS}),
    ]
    for _ in range(12):
        chosen = rng.sample(NUMBERS, rng.randint(5, 30))
        messages.append((rng.choice(["0100", "0120", "0400", "0420", "0800"]), {n: value(rng, n) for n in chosen}))

    vectors = []
    for layout, spec in [("iso87-ascii", default_ascii), ("iso87-bcd", binary_layout())]:
        for mti, fields in messages:
            document = {str(n): for_layout(layout, n, text) for n, text in fields.items()}
            raw, _ = iso8583.encode({"t": mti, **document}, spec)
            values = {str(n): fields[n] for n in sorted(fields)}
            vectors.append({"dialect": layout, "mti": mti, "wire": raw.hex(":"), "fields": values})
    note = "written by generate.py; fields 52, 55, 64, 96 and 128 are in hexadecimal, as is wire"
    lines = ",\n".join(json.dumps(vector) for vector in vectors)
    target = pathlib.Path(__file__).with_name("pyiso8583.json")
    target.write_text(f'{{"note": {json.dumps(note)}, "vectors": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
