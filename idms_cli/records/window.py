"""Work on a few items at once, and take the results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Window:
    """Up to `width` calls at a time. Width 1 uses no thread. Use as a context."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._pool = ThreadPoolExecutor(width) if width > 1 else None

    def each(self, work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """All results, in order; the first error is raised once every call has ended."""
        return list(self.stream(work, items))

    def stream(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the order of the items, which are read no further ahead than twice the width."""
        if self._pool is None:
            yield from map(work, items)
            return
        ahead: deque[Future[Result]] = deque()
        try:
            for item in items:
                ahead.append(self._pool.submit(work, item))
                if len(ahead) >= 2 * self.width:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
            wait(ahead)

    def start(self, work: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Begin one call, which must not raise. At width 1 it is done when this returns."""
        if self._pool is not None:
            return self._pool.submit(work, item)
        done: Future[Result] = Future()
        done.set_result(work(item))
        return done

    def __enter__(self) -> "Window":
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
