"""Writing into one place of an HL7 message."""

from __future__ import annotations


def put(message: bytes, place: str, value: bytes) -> bytes:
    """The message with that in place of "PID-3.4.2": of the first segment, the first repetition."""
    name, _, rest = place.partition("-")
    field, *parts = (int(number) for number in rest.split("."))
    segments = message.split(b"\r")
    at = next(n for n, segment in enumerate(segments) if segment.startswith(name.encode()))
    fields = segments[at].split(b"|")
    number = field - (name == "MSH")  # its first delimiter is a field
    fields += [b""] * (number + 1 - len(fields))
    first, *others = fields[number].split(b"~")
    fields[number] = b"~".join([_into(first, parts, b"^&", value), *others])
    segments[at] = b"|".join(fields)
    return b"\r".join(segments)


def _into(text: bytes, numbers: list[int], delimiters: bytes, value: bytes) -> bytes:
    if not numbers:
        return value
    parts = text.split(delimiters[:1])
    parts += [b""] * (numbers[0] - len(parts))
    parts[numbers[0] - 1] = _into(parts[numbers[0] - 1], numbers[1:], delimiters[1:], value)
    return delimiters[:1].join(parts)


def answered(ack) -> tuple[str, ...]:
    """MSA-1, then of what is wrong its place, code, reason and sentence."""
    return (ack.code, *(value for error in ack.errors for value in
                        (error["location"], error["code"], error["reason"], plain(error["text"]))))


def plain(text: str) -> str:
    """A text of an acknowledgement without its escapes."""
    for sequence, character in (("\\F\\", "|"), ("\\S\\", "^"), ("\\T\\", "&"), ("\\R\\", "~"), ("\\E\\", "\\")):
        text = text.replace(sequence, character)
    return text
