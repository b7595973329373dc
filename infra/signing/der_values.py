"""Object identifiers and times between their DER octets and Python values."""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache


@lru_cache(maxsize=2048)
def decode_oid(content: bytes) -> str:
    """The dotted form of an object identifier's content octets. Raises: ValueError."""
    if not content or content[-1] & 0x80 or len(content) > 128:
        raise ValueError
    numbers: list[int] = []
    value = 0
    fresh = True
    for octet in content:
        if fresh and octet == 0x80:
            raise ValueError
        value = value << 7 | octet & 0x7F
        fresh = not octet & 0x80
        if fresh:
            numbers.append(value)
            value = 0
    root = min(numbers[0] // 40, 2)
    return ".".join(map(str, (root, numbers[0] - 40 * root, *numbers[1:])))


def decode_time(value: str, *, short: bool) -> datetime:
    """The moment that a UTCTime (``short``) or GeneralizedTime says, in UTC. Raises: ValueError."""
    digits = 10 if short else 12
    zone_at = next((index for index, letter in enumerate(value) if letter in "Z+-"), -1)
    if zone_at < digits:
        raise ValueError
    stamp, zone = value[:zone_at], value[zone_at:]
    stamp, dot, fraction = stamp.partition(".")
    if not stamp.isdigit() or len(stamp) not in (digits, digits + 2):
        raise ValueError
    if dot and (short or not fraction.isdigit()):
        raise ValueError
    if short:
        stamp = ("19" if stamp[:2] >= "50" else "20") + stamp
    moment = datetime(
        int(stamp[:4]),
        int(stamp[4:6]),
        int(stamp[6:8]),
        int(stamp[8:10]),
        int(stamp[10:12]),
        int(stamp[12:14] or 0),
        int(fraction[:6].ljust(6, "0")) if fraction else 0,
        tzinfo=_zone(zone),
    )
    return moment.astimezone(UTC)


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    if len(text) != 5 or not text[1:].isdigit():
        raise ValueError
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(-offset if text[0] == "-" else offset)


def encode_oid(dotted: str) -> bytes:
    """The content octets of an object identifier. Raises: ValueError."""
    numbers = [int(number) for number in dotted.split(".")]
    if len(numbers) < 2 or min(numbers) < 0 or numbers[0] > 2:
        raise ValueError(f"not an object identifier: {dotted}")
    if numbers[0] < 2 and numbers[1] > 39:
        raise ValueError(f"not an object identifier: {dotted}")
    content = bytearray()
    for number in (numbers[0] * 40 + numbers[1], *numbers[2:]):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return bytes(content)
