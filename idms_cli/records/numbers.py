"""Numbers of cells: written as the job says, or as their own file has them."""

from idms_cli.records.forms import by_form
from idms_cli.templates.numbers import SAMPLES, NotASample, NumberReader, reader_of

__all__ = ["SAMPLES", "NotASample", "NumberReader", "number_reader"]


def number_reader(sample: str = SAMPLES[0]) -> NumberReader:
    """Reads numbers as `reader_of` does; a cell that is a number in its file is one whatever the sample.

    Raises `NotASample`. For a cell that was mended see `by_form`.
    """
    read = reader_of(sample)
    return read if sample == SAMPLES[0] else by_form(read, reader_of(SAMPLES[0]))
