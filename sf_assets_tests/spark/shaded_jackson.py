"""Build the shaded Jackson classes that the jar of `snowpark-connect-deps-iceberg` lacks.

Iceberg's Spark runtime expects Jackson under `org.apache.iceberg.shaded`. Spark has the same classes under their own
name, so this module renames the package inside their class files.
"""

import struct
import zipfile
from pathlib import Path

PLAIN, SHADED = b"com/fasterxml/jackson", b"org/apache/iceberg/shaded/com/fasterxml/jackson"
SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
"""Tag of a constant -> its length; text (tag 1) has a length of its own."""
TEXT, WIDE = 1, {5, 6}


def build(jars: Path, target: Path) -> None:
    """Write a jar with the renamed classes of Spark's Jackson jars."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as output:
        names: set[str] = set()
        for jar in sorted(jars.glob("jackson-*.jar")):
            with zipfile.ZipFile(jar) as source:
                for name in source.namelist():
                    if name.startswith(PLAIN.decode()) and name.endswith(".class") and name not in names:
                        names.add(name)
                        output.writestr(
                            name.replace(PLAIN.decode(), SHADED.decode()), rename_package(source.read(name))
                        )


def rename_package(content: bytes) -> bytes:
    """Return a class file with the package renamed in every text of its constant pool."""
    count, place, parts = struct.unpack_from(">H", content, 8)[0], 10, [content[:10]]
    index = 1
    while index < count:
        tag = content[place]
        if tag == TEXT:
            length = struct.unpack_from(">H", content, place + 1)[0]
            text = content[place + 3 : place + 3 + length]
            text = text.replace(PLAIN, SHADED).replace(PLAIN.replace(b"/", b"."), SHADED.replace(b"/", b"."))
            parts.append(struct.pack(">BH", TEXT, len(text)) + text)
            place += 3 + length
        else:
            parts.append(content[place : place + 1 + SIZES[tag]])
            place += 1 + SIZES[tag]
        index += 2 if tag in WIDE else 1
    return b"".join([*parts, content[place:]])
