"""Files onto a server: each is sent under a temporary name, compared, and renamed once it is whole."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol

from idms_cli.delivery import Delivery, Parcel, Receipt
from idms_cli.delivery.marks import mark_of
from idms_cli.delivery.numbering import numbered
from idms_cli.delivery.placing import Placed, Placing
from idms_cli.errors import DeliveryRefused, IdmsError, InputError, Interrupted, Unreachable

Overwrite = Literal["replace", "refuse", "number"]

UNKNOWN = -1
"""The size of a file that is there, where the server does not tell it."""
ONCE_MORE = "then `idms retry RUN` delivers what is left."
"""The end of hints."""


class NameTaken(Exception):
    """There is a file of that name, and the server leaves it there."""


class RemoteFolder(Protocol):
    """A folder on a server. Names are of files in it.

    Everything may raise `Unreachable` when the server does not answer, and `DeliveryRefused` when it says no. A server
    that was silent for too long once is not waited for again.
    """

    def address(self, name: str = "") -> str:
        """As people know it."""

    def make_ready(self, *, create: bool) -> None:
        """Log in, and see that the folder is there; make it if that is wanted. Raises `LoginRefused`, `InputError`."""

    def size(self, name: str) -> int | None:
        """In bytes, or `UNKNOWN`; None when there is none. Raises `DeliveryRefused` for what is no plain file."""

    def send(self, path: Path, name: str, told: Callable[[int], None]) -> None:
        """Write a file anew, as durably as the server can. `told` hears of each piece how many bytes it has.

        Raises `Interrupted`.
        """

    def rename(self, name: str, free: str) -> None:
        """Raises `NameTaken`. Where a server replaces what is there, it is looked for just before."""

    def replace(self, name: str, final: str) -> None:
        """Rename over what is there, in one moment. Raises `NameTaken` when the server has no way to do that."""

    def remove(self, name: str) -> None:
        """Nothing happens when there is none."""


def upload(parcels: Sequence[Parcel], folder: RemoteFolder, delivery: Delivery, overwrite: Overwrite) -> Receipt:
    """All files at their place. What an earlier attempt in the same step's folder did is found, and not done again."""
    placing = Placing(delivery.folder)
    uploading = _Uploading(folder, delivery, placing, overwrite)
    if placing.number:
        uploading.tidy(placing.number - 1)
    for index in range(placing.number, len(parcels)):
        if delivery.stopping():
            raise Interrupted("the run was stopped")
        uploading.place(parcels[index], index)
        delivery.progress({"items": placing.number})
    done = placing.done
    address = folder.address(done[0].name if len(done) == 1 else "")
    return Receipt(address, items=len(done), size=sum(one.size for one in done))


def taken(address: str) -> DeliveryRefused:
    """Said where nothing may be replaced."""
    return DeliveryRefused(
        f"{address} is there already",
        hint="Put {{ slot.date }} or {{ run.id }} into `file:`, or say overwrite: replace, or number.",
    )


class _Uploading:
    """One delivery."""

    def __init__(self, folder: RemoteFolder, delivery: Delivery, placing: Placing, overwrite: Overwrite) -> None:
        self._folder = folder
        self._delivery = delivery
        self._placing = placing
        self._overwrite = overwrite
        self._stem = f".idms-{mark_of(delivery)}"

    def place(self, parcel: Parcel, index: int) -> None:
        """One file, whole under its final name. An attempt that died over it left a note, and its temporary file."""
        part = f"{self._stem}-{index + 1}.part"
        told = self._placing.intent
        there = self._folder.size(part) if told is not None else None
        if told is not None and there is None:
            self._delivery.log(f"{self._folder.address(told.name)}: the attempt that was cut off had put it there.")
        else:
            if told is None:
                self._look(parcel.name)
            with self._nothing_left(part):
                if told is None or there != told.size:
                    self._send(parcel, part)
                self._give_name(part, index, parcel.name)
        self._placing.has_placed()
        if told is not None:
            self.tidy(index)

    def tidy(self, index: int) -> None:
        """What the new file took the place of goes, if it is still there."""
        aside = self._aside(index)
        try:
            self._folder.remove(aside)
        except IdmsError:  # the file is where it should be, and that is what counts
            self._delivery.log(f"What was replaced may still be there as {aside}.")

    def _aside(self, index: int) -> str:
        return f"{self._stem}-{index + 1}.old"

    def _look(self, name: str) -> None:
        """What would be refused in the end is refused before anything is sent."""
        if self._folder.size(name) is not None and self._overwrite == "refuse":
            raise taken(self._folder.address(name))

    def _send(self, parcel: Parcel, part: str) -> None:
        self._folder.remove(part)
        items, sent = self._placing.number, sum(one.size for one in self._placing.done)

        def told(size: int) -> None:
            nonlocal sent
            sent += size
            self._delivery.progress({"items": items, "bytes": sent})

        self._folder.send(parcel.path, part, told)
        wanted, arrived = parcel.path.stat().st_size, self._folder.size(part)
        if arrived not in (wanted, UNKNOWN):
            raise self._not_whole(parcel.name, wanted, arrived)
        self._placing.intend(Placed(parcel.name, wanted))

    def _not_whole(self, name: str, wanted: int, arrived: int | None) -> IdmsError:
        address = self._folder.address(name)
        if arrived is None:
            hint = "Ask its owner to leave files alone whose names begin with a dot: they are not complete."
            return DeliveryRefused(f"{address}: the server takes the file away before it has its name", hint=hint)
        hint = "Is something cutting the connection, or is the disk there full? Look there, and try again."
        return Unreachable(f"{address}: {arrived:,} of {wanted:,} bytes arrived.", hint=hint)

    def _give_name(self, part: str, index: int, name: str) -> None:
        if self._overwrite == "replace":
            try:
                self._folder.replace(part, name)
            except NameTaken:
                self._swap(part, self._aside(index), name)
                self.tidy(index)
            return
        for final in numbered(name) if self._overwrite == "number" else [name]:
            self._placing.rename(final)
            with suppress(NameTaken):
                self._folder.rename(part, final)
                return
        raise taken(self._folder.address(name))

    def _swap(self, part: str, aside: str, name: str) -> None:
        """Where a server never replaces: what is there steps aside, and comes back if the new file cannot be there."""
        address = self._folder.address(name)
        self._delivery.log(f"{address}: the server cannot replace a file in one step; for a moment there is none.")
        self._folder.remove(aside)
        self._folder.rename(name, aside)
        kept = f"What was there before is kept beside it as {aside}"
        try:
            self._folder.rename(part, name)
        except (DeliveryRefused, NameTaken) as error:
            try:
                self._folder.rename(aside, name)
            except (IdmsError, NameTaken):
                raise DeliveryRefused(f"{address}: {_words(error)}", hint=f"{kept}: rename it there.") from error
            if isinstance(error, DeliveryRefused):
                raise
            raise DeliveryRefused(f"{address}: {_words(error)}", hint="Does somebody else write there?") from error
        except Unreachable as error:
            raise Unreachable(str(error), hint=f"{kept}; the next attempt goes on from there.") from error

    @contextmanager
    def _nothing_left(self, part: str) -> Iterator[None]:
        """A file that did not get its name goes, and the note of it before: else it would be taken for renamed."""
        try:
            yield
        except (DeliveryRefused, InputError):
            if self._placing.intent is not None:
                self._placing.forget()
            self._drop(part)
            raise
        except (Interrupted, Unreachable):
            if self._placing.intent is None:  # else nobody knows yet whether it was renamed; the note says so
                self._drop(part)
            raise

    def _drop(self, part: str) -> None:
        try:
            self._folder.remove(part)
        except IdmsError:
            self._delivery.log(f"What was sent may still be there as {part}; the next attempt replaces it.")


def _words(error: Exception) -> str:
    return str(error) or "somebody put another file there in the same moment"
