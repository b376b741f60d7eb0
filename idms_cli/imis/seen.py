"""Which keys were met among a million, and what stood under them: in 12 bytes a key and the room between."""

from array import array
from collections.abc import Sequence

_FIRST_SIZE = 1 << 10
_FULLEST = 0.6
_DIGEST = (1 << 64) - 1
_CONTENT = (1 << 32) - 1


class Seen:
    """A hash table of digests (64 bits, so that among a million keys one in 40 million times two are taken for one).

    A set of as many texts takes ten times the room.
    """

    def __init__(self) -> None:
        self._count = 0
        self._mask = _FIRST_SIZE - 1
        self._digests = array("Q", [0]) * _FIRST_SIZE
        """0 where there is none."""
        self._contents = array("I", [0]) * _FIRST_SIZE

    def count(self, keys: Sequence[str | None]) -> int:
        """How many of the keys were met before; None is no key."""
        digests, mask, found = self._digests, self._mask, 0
        for key in keys:
            if key is None:
                continue
            digest = hash(key) & _DIGEST or 1
            at = digest & mask
            while (there := digests[at]) and there != digest:
                at = (at + 1) & mask
            found += there == digest
        return found

    def meet(self, keys: Sequence[str | None], contents: Sequence[int]) -> tuple[list[int], int]:
        """Take in keys with a digest of what stands under each.

        Gives the places of those that are new (or no key at all), and the number of those that stood under something
        else before.
        """
        self._make_room(len(keys))
        digests, kept, mask = self._digests, self._contents, self._mask
        new, others = [], 0
        for place, key in enumerate(keys):
            if key is None:
                new.append(place)
                continue
            digest = hash(key) & _DIGEST or 1
            at = digest & mask
            while (there := digests[at]) and there != digest:
                at = (at + 1) & mask
            content = contents[place] & _CONTENT
            if there:
                others += kept[at] != content
            else:
                digests[at], kept[at] = digest, content
                self._count += 1
                new.append(place)
        return new, others

    def _make_room(self, more: int) -> None:
        size = self._mask + 1
        while self._count + more > size * _FULLEST:
            size *= 2
        if size == self._mask + 1:
            return
        digests, contents = array("Q", [0]) * size, array("I", [0]) * size
        mask = size - 1
        for digest, content in zip(self._digests, self._contents, strict=True):
            if digest:
                at = digest & mask
                while digests[at]:
                    at = (at + 1) & mask
                digests[at], contents[at] = digest, content
        self._digests, self._contents, self._mask = digests, contents, mask
