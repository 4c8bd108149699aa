"""Indicators against logs: an index that `manara index build` wrote, and every spelling of its indicators in bytes.

    from manara_matching import Index
    with Index("bad.index") as index:
        for hit in index.scan(open("access.log", "rb").read()):
            print(hit.line, hit.column, hit.kind, hit.indicator, hit.matched)

The library is looked for beside this file, then where MANARA_MATCHING_LIBRARY says.
"""

import ctypes
import os
import pathlib
import sys
from typing import NamedTuple

__all__ = ["Hit", "Index"]


class _Hit(ctypes.Structure):
    _fields_ = [
        ("line", ctypes.c_uint64), ("column", ctypes.c_uint64), ("start", ctypes.c_size_t), ("end", ctypes.c_size_t),
        ("indicator", ctypes.c_uint32), ("kind", ctypes.c_uint32),
    ]


_TOLD = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Hit), ctypes.c_void_p)


def _library():
    ending = {"darwin": "dylib", "win32": "dll"}.get(sys.platform, "so")
    beside = pathlib.Path(__file__).with_name(f"libmanara_matching_c.{ending}")
    library = ctypes.CDLL(str(beside) if beside.exists() else os.environ.get("MANARA_MATCHING_LIBRARY", beside.name))
    for name, gives, takes in [
        ("manara_index_open", ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]),
        ("manara_index_close", None, [ctypes.c_void_p]),
        ("manara_index_len", ctypes.c_uint32, [ctypes.c_void_p]),
        ("manara_index_text", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(ctypes.c_size_t)]),
        ("manara_kind_name", ctypes.c_char_p, [ctypes.c_uint32]),
        ("manara_scan", ctypes.c_uint64, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, _TOLD, ctypes.c_void_p]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = gives, takes
    return library


_c = _library()


class Hit(NamedTuple):
    """An indicator in a text: lines and columns from 1, `start` and `end` bytes of the text."""

    line: int
    column: int
    kind: str
    indicator: str
    matched: bytes
    start: int
    end: int


class Index:
    """An index file. Open it once; scans may run in several threads."""

    def __init__(self, path):
        self._open = None
        error, name = ctypes.create_string_buffer(500), os.fsencode(path)
        if b"\0" in name:
            raise ValueError("a path has no zero byte in it")
        self._open = _c.manara_index_open(name, error, len(error))
        if not self._open:
            raise OSError(f"{os.fspath(path)}: {error.value.decode(errors='replace')}")

    def close(self):
        """Gives it back; no scan may be going on."""
        if self._open:
            _c.manara_index_close(self._open)
            self._open = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def _held(self):
        if not self._open:
            raise ValueError("the index was closed")
        return self._open

    def __len__(self):
        return _c.manara_index_len(self._held())

    def text(self, indicator):
        """The indicator with this number in its normal form."""
        length = ctypes.c_size_t()
        at = _c.manara_index_text(self._held(), indicator, ctypes.byref(length))
        return ctypes.string_at(at, length.value).decode()

    def scan(self, text):
        """All hits in bytes that begin and end at the borders of lines."""
        hits = []

        def told(hit, _):
            hit = hit.contents
            kind = _c.manara_kind_name(hit.kind).decode()
            matched = text[hit.start:hit.end]
            hits.append(Hit(hit.line, hit.column, kind, self.text(hit.indicator), matched, hit.start, hit.end))

        _c.manara_scan(self._held(), text, len(text), _TOLD(told), None)
        return hits
