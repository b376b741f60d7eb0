"""One digest of all rows, whatever their order and that of their columns: to see that nothing has changed."""

from hashlib import sha256

import msgspec

from idms_cli.files.writers import Rows

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_BITS = 256


def digest_of(rows: Rows) -> str:
    """The same (hexadecimal) for the same rows, each as often; a column without any value does not count."""
    places = sorted(range(len(rows.columns)), key=rows.columns.__getitem__)
    names = [rows.columns[place] for place in places]
    total = 0
    for row in rows:
        said = {name: row[place] for name, place in zip(names, places, strict=True) if row[place] is not None}
        total += int.from_bytes(sha256(_ENCODER.encode(said)).digest())
    return f"{total % 2**_BITS:064x}"
