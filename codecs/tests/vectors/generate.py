"""Writes pyiso8583.json beside itself: messages packed by pyiso8583 (PyPI), an independent codec.

Run once, by hand, with pyiso8583 4.0.1 installed (`pip install pyiso8583`); the result is committed, so that
the tests need neither Python nor the package. The binary layout is stated here again, from the
standard's table and not from config/dialects, so that a mistake there is not repeated here.
"""

import copy
import json
import pathlib
import random
import re

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


# The tables of 1993 and 2003: numbers, type, dots for the digits of a variable length, maximum.
TABLE_1993 = """
    2 n..19, 3 n6, 4 n12, 5 n12, 6 n12, 7 n10, 8 n8, 9 n8, 10 n8, 11 n6, 12 n12, 13 n4, 14 n4, 15 n6,
    16 n4, 17 n4, 18 n4, 19 n3, 20 n3, 21 n3, 22 an12, 23 n3, 24 n3, 25 n4, 26 n4, 27 n1, 28 n6, 29 n3,
    30 n24, 31 ans..99, 32 n..11, 33 n..11, 34 ans..28, 35 z..37, 36 z...104, 37 an12, 38 an6, 39 n3,
    40 n3, 41 ans8, 42 ans15, 43 ans..99, 44 ans..99, 45 ans..76, 46 ans...204, 47 ans...999,
    48 ans...999, 49 n3, 50 n3, 51 n3, 52 b8, 53 b..48, 54 ans...120, 55 b...255, 56 n..35, 57 n3,
    58 n..11, 59 ans...999, 60-61 ans...999, 62-63 ans...999, 64 b8, 65 b8, 66 ans...204, 67 n2, 68 n3,
    69 n3, 70 n3, 71 n8, 72 ans...999, 73 n6, 74 n10, 75 n10, 76 n10, 77 n10, 78 n10, 79 n10, 80 n10,
    81 n10, 82 n10, 83 n10, 84 n10, 85 n10, 86 n16, 87 n16, 88 n16, 89 n16, 90 n10, 91 n3, 92 n3,
    93 n..11, 94 n..11, 95 ans..99, 96 b...999, 97 x+n17, 98 ans25, 99 an..11, 100 n..11, 101 ans..17,
    102 ans..28, 103 ans..28, 104 ans...100, 105 n16, 106 n16, 107 n10, 108 n10, 109 ans..84,
    110 ans..84, 111-115 ans...999, 116-122 ans...999, 123-127 ans...999, 128 b8
"""
TABLE_2003 = """
    2 n..19, 3 an6, 4 n16, 5 n16, 6 n16, 7 n10, 8 n12, 9 n8, 10 n8, 11 n12, 12 n14, 13 n6, 14 n4, 15 n8,
    16 n4, 17 n4, 18 ans...140, 19 n3, 20 n3, 21 b19, 22 an16, 23 n3, 24 n3, 25 n4, 26 n4, 27 ans27,
    28 n8, 29 n3, 30 n32, 31 n23, 32 n..11, 33 n..11, 34 b....9999, 35 z..37, 36 z...104, 37 an12,
    38 an6, 39 n4, 40 n3, 41 ans16, 42 ans..35, 43 ans....9999, 44 ans....9999, 45 ans..76, 46 ans...216,
    47 ans...999, 48 ans...999, 49 b....9999, 50-51 b....9999, 52 b8, 53 b..48, 54 ans...126,
    55 b....9999, 56 n..41, 57 n3, 58 n..11, 59 ans...999, 60-61 ans...999, 62-63 ans...999, 64 b8,
    65 b8, 66 ans...216, 67 n2, 68 ans9, 69 ans40, 70 n18, 71 b....9999, 72 b...999, 73 n8, 74 b78,
    75 n90, 76-92 b....9999, 93 n..11, 94 n..11, 95 ans..99, 96 b...999, 97 x+n21, 98 ans25, 99 an..11,
    100 n..11, 101 ans..99, 102 ans..28, 103 ans..28, 104 b....9999, 105-108 b....9999, 109 ans...144,
    110 ans...144, 111-115 b....9999, 116-122 b....9999, 123 ans...999, 124-127 b....9999, 128 b8
"""


def fields_of(table):
    """By number: type, digits of the length, maximum."""
    fields = {}
    for entry in table.replace("\n", " ").split(","):
        numbers, form = entry.split()
        first, _, last = numbers.partition("-")
        kind, dots, longest = re.fullmatch(r"([a-z+]+?)(\.*)(\d+)", form).groups()
        for number in range(int(first), int(last or first) + 1):
            fields[number] = (kind, len(dots), int(longest))
    return fields


def later_layout(fields, binary):
    """The table as a specification: everything in ASCII, or packed as far as it can be."""
    base = default if binary else default_ascii
    spec = {name: copy.deepcopy(base[name]) for name in ("h", "t", "p", "1")}
    if binary:
        spec["t"].update(data_enc="b", max_len=2)
    for number, (kind, digits, longest) in fields.items():
        field = {"data_enc": "ascii", "len_enc": "ascii", "len_type": digits, "max_len": longest, "desc": kind}
        if binary:
            field.update(len_enc="bcd", len_type=(digits + 1) // 2)
            if kind == "n":
                field.update(data_enc="b", len_count="nibbles", left_pad="0")
            elif number == TRACK2:
                field.update(data_enc="b", len_count="nibbles", right_pad="F")
            elif kind == "x+n":
                field.update(data_enc="b", max_len=1 + longest // 2)
        if kind == "b":
            if binary:
                field.update(data_enc="b")
            else:
                field.update(max_len=min(2 * longest, 998))
        spec[str(number)] = field
    return spec


def ebcdic_layout():
    spec = copy.deepcopy(default)
    for name, field in spec.items():
        if name not in ("h", "p", "1"):
            field.update(len_enc="cp037")
            if name == "t" or int(name) not in BINARY:
                field.update(data_enc="cp037")
    return spec


def later_value(rng, form, number, binary, most=20):
    """A value at random of a field of the later tables."""
    kind, digits, longest = form
    if kind == "b" and not binary:
        longest = min(longest, 499)
    length = rng.randint(min(longest, most) // 2 + 1, min(longest, most)) if digits else longest
    pick = lambda alphabet, count: "".join(rng.choice(alphabet) for _ in range(count))
    if kind == "b":
        return pick("0123456789ABCDEF", 2 * length)
    if kind == "z":
        text = ("9999" + pick("0123456789", length))[:length]
        return text if length < 24 else text[:16] + "=" + text[17:]
    if kind == "x+n":
        return rng.choice("CD") + ("9999" + pick("0123456789", length))[: length - 1]
    if kind == "n":
        start = "9999" if length >= 13 else ""
        return start + pick("0123456789", length - len(start))
    if kind == "an":
        return pick("ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz0123456789 ", length)
    return pick([chr(c) for c in range(0x20, 0x7F)], length)


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


def ebcdic_vectors(messages):
    vectors = []
    for mti, fields in messages:
        raw, _ = iso8583.encode({"t": mti, **{str(n): text for n, text in fields.items()}}, ebcdic_layout())
        values = {str(n): fields[n] for n in sorted(fields)}
        vectors.append({"dialect": "iso87-ebcdic-037", "mti": mti, "wire": raw.hex(":"), "fields": values})
    return vectors


def later_vectors(rng):
    vectors = []
    layouts = [
        ("iso93-ascii", "1", TABLE_1993, False),
        ("iso93-binary", "1", TABLE_1993, True),
        ("iso2003-binary", "2", TABLE_2003, True),
    ]
    for dialect, version, table, binary in layouts:
        forms = fields_of(table)
        assert sorted(forms) == list(range(2, 129)), dialect
        spec = later_layout(forms, binary)
        usable = [n for n in forms if n != 65]  # which this package takes for a third bitmap
        sets = [(usable, 60), (usable, 1)]
        sets += [(rng.sample(usable, rng.randint(5, 30)), 20) for _ in range(10)]
        for chosen, most in sets:
            mti = version + rng.choice(["100", "110", "400", "804"])
            fields = {n: later_value(rng, forms[n], n, binary, most) for n in sorted(chosen)}
            document = {str(n): text for n, text in fields.items()}
            for number, text in fields.items():
                if binary and number == TRACK2:
                    document[str(number)] = text.replace("=", "D")
                if binary and forms[number][0] == "x+n":
                    document[str(number)] = f"{ord(text[0]):02X}{text[1:]}"
            raw, _ = iso8583.encode({"t": mti, **document}, spec)
            values = {str(n): fields[n] for n in sorted(fields)}
            vectors.append({"dialect": dialect, "mti": mti, "wire": raw.hex(":"), "fields": values})
    return vectors


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
    vectors += ebcdic_vectors(messages) + later_vectors(rng)
    note = "written by generate.py; binary fields are in hexadecimal, as is wire"
    lines = ",\n".join(json.dumps(vector) for vector in vectors)
    target = pathlib.Path(__file__).with_name("pyiso8583.json")
    target.write_text(f'{{"note": {json.dumps(note)}, "vectors": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
