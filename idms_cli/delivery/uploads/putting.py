"""Files into a bucket: each becomes one object, whole, once."""

from collections.abc import Iterable, Sequence

from idms_cli.delivery import Delivery, Parcel, Receipt
from idms_cli.delivery.marks import mark_of
from idms_cli.delivery.numbering import numbered
from idms_cli.delivery.placing import Placed, Placing
from idms_cli.delivery.uploads.bucket import Bucket, NotReadable
from idms_cli.delivery.uploads.uploading import NameTaken, Overwrite, taken
from idms_cli.errors import DeliveryRefused, InputError, Interrupted, OutcomeUnknown, Unreachable


def put_all(parcels: Sequence[Parcel], bucket: Bucket, delivery: Delivery, overwrite: Overwrite) -> Receipt:
    """All files at their place. What an earlier attempt in the same step's folder did is found, and not done again."""
    placing = Placing(delivery.folder)
    putting = _Putting(bucket, delivery, placing, overwrite)
    for index in range(placing.number, len(parcels)):
        if delivery.stopping():
            raise Interrupted("the run was stopped")
        putting.place(parcels[index], index)
        delivery.progress({"items": placing.number})
    done = placing.done
    address = bucket.address(done[0].name if len(done) == 1 else "")
    return Receipt(address, items=len(done), size=sum(one.size for one in done))


class _Putting:
    """One delivery."""

    def __init__(self, bucket: Bucket, delivery: Delivery, placing: Placing, overwrite: Overwrite) -> None:
        self._bucket = bucket
        self._delivery = delivery
        self._placing = placing
        self._overwrite = overwrite
        self._mark = mark_of(delivery)

    def place(self, parcel: Parcel, index: int) -> None:
        """One object. An attempt that died over it left a note of the name that it was to have."""
        mark, told = f"{self._mark}-{index + 1}", self._placing.intent
        if told is None or not self._is_ours(told.name, mark):
            self._put(parcel, mark)
        self._placing.has_placed()

    def _is_ours(self, name: str, mark: str) -> bool:
        """Whether the attempt that was cut off had come to its end. An object has the mark of who put it there."""
        try:
            seen = self._bucket.look(name)
        except NotReadable as error:
            if self._overwrite == "replace":
                return False  # once more does no harm
            raise OutcomeUnknown(
                f"{self._bucket.address(name)}: an attempt was cut off, and this access key may not look at its end",
                hint="Look whether it is there. The access key needs s3:GetObject and s3:ListBucket as well.",
            ) from error
        if seen is None or seen.mark != mark:
            return False
        self._delivery.log(f"{self._bucket.address(name)}: the attempt that was cut off had put it there.")
        return True

    def _put(self, parcel: Parcel, mark: str) -> None:
        size, items, sent = parcel.path.stat().st_size, self._placing.number, self._sent()

        def told(piece: int) -> None:
            nonlocal sent
            sent += piece
            self._delivery.progress({"items": items, "bytes": sent})

        for name in self._names(parcel.name):
            self._placing.intend(Placed(name, size))
            try:
                self._bucket.put(parcel, name, mark, told, only_new=self._overwrite != "replace")
            except NameTaken:
                if self._is_there_by_us(name, mark):
                    return
                continue
            except (DeliveryRefused, InputError):
                self._placing.forget()
                raise
            self._verify(name, mark, size)
            return
        self._placing.forget()
        raise taken(self._bucket.address(parcel.name))

    def _names(self, name: str) -> Iterable[str]:
        return numbered(name) if self._overwrite == "number" else [name]

    def _is_there_by_us(self, name: str, mark: str) -> bool:
        """An answer may be lost, and the request be sent again by itself: then it is taken by the first one."""
        try:
            seen = self._bucket.look(name)
        except NotReadable:
            return False
        return seen is not None and seen.mark == mark

    def _verify(self, name: str, mark: str, size: int) -> None:
        try:
            seen = self._bucket.look(name)
        except NotReadable:
            return  # the service has acknowledged the whole of it
        if seen is not None and seen.mark == mark and seen.size != size:
            hint = "Is the service in order? Look there, and try again."
            raise Unreachable(f"{self._bucket.address(name)}: {seen.size:,} of {size:,} bytes arrived.", hint=hint)

    def _sent(self) -> int:
        return sum(one.size for one in self._placing.done)
