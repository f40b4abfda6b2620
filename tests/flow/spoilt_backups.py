"""Archives of a backup that are damaged, or do not fit."""

import gzip
import io
import json
import tarfile


def rewritten(archive, target, name, change):
    """The same archive with another content of one member; without it for None."""
    with tarfile.open(archive) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            piece = old.extractfile(member).read()
            if member.name == name and (piece := change(piece)) is None:
                continue
            member.size = len(piece)
            new.addfile(member, io.BytesIO(piece))
    return target


def cut(archive, target):
    target.write_bytes(archive.read_bytes()[:-100])
    return target


def flipped(archive, target):
    """As a disk does it: one bit of a table, under an intact envelope but for the checksum."""
    raw = gzip.decompress(archive.read_bytes())
    packed = bytearray(gzip.compress(raw.replace(b"ficam", b"ficar", 1)))
    packed[-8:-4] = archive.read_bytes()[-8:-4]
    target.write_bytes(packed)
    return target


def newer(content):
    manifest = json.loads(content)
    return json.dumps(
        manifest | {"migrations": [*manifest["migrations"], "9999.future"], "schema": "9999.future"}
    ).encode()


SPOILT = {
    "cut": (cut, "damaged"),
    "flipped": (flipped, "damaged"),
    "endless": (lambda a, t: rewritten(a, t, "end.json", lambda _: None), "end.json is missing"),
    "headless": (lambda a, t: rewritten(a, t, "alfred.json", lambda _: None), "alfred.json is missing"),
    "short of rows": (lambda a, t: rewritten(a, t, "tables/users/0", lambda c: c[: c.index(b"\n") + 1]), "lacks rows"),
    "nonsense": (lambda a, t: rewritten(a, t, "tables/users/0", lambda _: b"x\ty\n"), "do not fit"),
    "of the future": (lambda a, t: rewritten(a, t, "alfred.json", newer), "schema 9999.future"),
    "of another key": (lambda a, t: rewritten(a, t, "secrets/secret_key", lambda _: b"x" * 40), "another key"),
}
