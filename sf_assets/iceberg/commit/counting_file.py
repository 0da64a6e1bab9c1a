"""An output file that knows its length. Asking an object store costs a request."""

from types import TracebackType

from pyiceberg.io import InputFile, OutputFile, OutputStream


class CountingOutputFile(OutputFile):
    """A wrapper of an output file; its length is length after the stream is closed."""

    def __init__(self, output: OutputFile) -> None:
        super().__init__(output.location)
        self._output = output
        self._stream: _CountingStream | None = None

    def __len__(self) -> int:
        length = self._stream.length if self._stream else None
        return len(self._output) if length is None else length

    def exists(self) -> bool:
        return self._output.exists()

    def to_input_file(self) -> InputFile:
        return self._output.to_input_file()

    def create(self, overwrite: bool = False) -> OutputStream:
        """Open the file for writing, once."""
        self._stream = _CountingStream(self._output.create(overwrite=overwrite))
        return self._stream


class _CountingStream(OutputStream):
    """A stream with a `length`: None until it is closed without an error."""

    def __init__(self, stream: OutputStream) -> None:
        self.length: int | None = None
        self._stream = stream
        self._is_closed = False

    @property
    def closed(self) -> bool:
        return self._is_closed

    def write(self, b: bytes) -> int:
        return self._stream.write(b)

    def tell(self) -> int:
        return self._stream.tell()

    def flush(self) -> None:
        """Ignore the call: a file becomes visible when it is closed."""

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        written = self._stream.tell()
        self._stream.close()
        self.length = written

    def __enter__(self) -> "_CountingStream":
        return self

    def __exit__(
        self, exctype: type[BaseException] | None, excinst: BaseException | None, exctb: TracebackType | None
    ) -> None:
        self.close()
