"""Small files that cost a reader much memory, much time, or both.

A few lines draw each file: an attacker needs no more.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from PIL import Image

from tests import pictures
from tests.pictures import saved

# The largest square below the limit of 150 million pixels.
SIDE = 12_247

# --- PNG ------------------------------------------------------------------------


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def zeros_deflated(size: int) -> bytes:
    """Return `size` zeros as zlib compresses them best, to a thousandth."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    packed = [packer.compress(block) for _ in range(size >> 20)]
    return b"".join((*packed, packer.compress(bytes(size % (1 << 20))), packer.flush()))


def png(
    width: int,
    height: int,
    bits: int,
    colour: int,
    *,
    interlaced: bool = False,
    before: Iterable[bytes] = (),
) -> bytes:
    """Return a black PNG. `colour` is 0 for grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. The
    chunks `before` stand between the header and the pixels."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]

    def bytes_of(columns: int, rows: int) -> int:
        return rows * (1 + (columns * bits * channels + 7) // 8) if columns and rows else 0

    size = bytes_of(width, height)
    if interlaced:  # the seven passes of Adam7: first column and row, and their steps
        passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4))
        passes += ((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
        size = sum(
            bytes_of(-(-max(0, width - x) // dx), -(-max(0, height - y) // dy))
            for x, y, dx, dy in passes
        )
    header = struct.pack(">LLBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            *before,
            png_chunk(b"IDAT", zeros_deflated(size)),
            png_chunk(b"IEND", b""),
        )
    )


PALETTE = png_chunk(b"PLTE", bytes((255, 0, 0, 0, 160, 0)))
PALETTE_ALPHA = png_chunk(b"tRNS", b"\x00\x80")


def apng(side: int, frames: int) -> bytes:
    """Return an APNG. Its frames are as large as the canvas and contain almost no data."""
    packed = zeros_deflated(side * ((side + 7) // 8 + 1))
    control = struct.pack(">LLLLHHBB", side, side, 0, 0, 1, 10, 0, 0)
    chunks = [
        png_chunk(b"IHDR", struct.pack(">LLBBBBB", side, side, 1, 3, 0, 0, 0)),
        PALETTE,
        PALETTE_ALPHA,
        png_chunk(b"acTL", struct.pack(">LL", frames, 0)),
        png_chunk(b"fcTL", struct.pack(">L", 0) + control),
        png_chunk(b"IDAT", packed),
    ]
    for number in range(1, 2 * frames - 1, 2):
        chunks.append(png_chunk(b"fcTL", struct.pack(">L", number) + control))
        chunks.append(png_chunk(b"fdAT", struct.pack(">L", number + 1) + packed))
    return b"\x89PNG\r\n\x1a\n" + b"".join((*chunks, png_chunk(b"IEND", b"")))


def png_with(kind: bytes, body: bytes, times: int = 1) -> bytes:
    """Return a small PNG with `times` chunks of one kind before its pixels."""
    whole = pictures.png()
    return whole[:33] + png_chunk(kind, body) * times + whole[33:]


# --- JPEG -----------------------------------------------------------------------


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


# The shortest code tables: each has one code, for "nothing more in this block".
_DC_TABLE = jpeg_segment(0xC4, bytes((0x00, 1, *[0] * 15, 0)))
_AC_TABLE = jpeg_segment(0xC4, bytes((0x10, 1, *[0] * 15, 0)))


def jpeg(
    width: int,
    height: int,
    *,
    components: int = 1,
    sampling: int = 0x11,
    first_sampling: int | None = None,
    progressive: bool = False,
    scans: int = 1,
    precision: int = 8,
    before: bytes = b"",
) -> bytes:
    """Return a grey JPEG of `scans` scans without data. A decoder that meets the next marker too
    early fills in the missing pixels."""
    quantities = jpeg_segment(0xDB, b"\x00" + bytes([1]) * 64)
    samplings = [first_sampling or sampling, *[sampling] * (components - 1)]
    frame = struct.pack(">BHHB", precision, height, width, components)
    frame += b"".join(bytes((number + 1, s, 0)) for number, s in enumerate(samplings))
    whole = [b"\xff\xd8", before, quantities, _DC_TABLE, _AC_TABLE]
    whole.append(jpeg_segment(0xC2 if progressive else 0xC0, frame))
    parts = b"".join(bytes((number + 1, 0)) for number in range(components))
    for number in range(scans):
        if not progressive:
            head = bytes((components,)) + parts + b"\x00\x3f\x00"
        elif number == 0:
            head = bytes((components,)) + parts + b"\x00\x00\x01"
        else:
            first = 1 + number % 63
            head = bytes((1, 1 + number % components, 0, first, first, 0x01))
        whole.append(jpeg_segment(0xDA, head))
    return b"".join((*whole, b"\xff\xd9"))


# --- WebP -----------------------------------------------------------------------


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<L", len(body)) + body + b"\x00" * (len(body) % 2)


def webp_file(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<L", len(body)) + body


def vp8l(width: int, height: int, *, alpha: bool = False) -> bytes:
    """Return a lossless picture of one colour. Its pixels need no bits."""
    size = (width - 1) | (height - 1) << 14 | int(alpha) << 28
    return b"\x2f" + struct.pack("<L", size) + bytes.fromhex("071011118888fe0700")


def webp_lossless(width: int = SIDE, height: int = SIDE, *, alpha: bool = False) -> bytes:
    return webp_file(webp_chunk(b"VP8L", vp8l(width, height, alpha=alpha)))


def _24(number: int) -> bytes:
    return struct.pack("<L", number)[:3]


def webp_animated(width: int, height: int, frames: int, frame: tuple[int, int]) -> bytes:
    """Return an animation with frames of the size `frame` on a larger canvas."""
    body = bytes(6) + _24(frame[0] - 1) + _24(frame[1] - 1) + _24(100) + b"\x00"
    body += webp_chunk(b"VP8L", vp8l(*frame, alpha=True))
    return webp_file(
        webp_chunk(b"VP8X", struct.pack("<L", 0x12) + _24(width - 1) + _24(height - 1)),
        webp_chunk(b"ANIM", bytes(6)),
        *[webp_chunk(b"ANMF", body)] * frames,
    )


# --- GIF ------------------------------------------------------------------------


def gif(canvas: tuple[int, int], frame: tuple[int, int], frames: int = 1) -> bytes:
    """Return a GIF of transparent frames whose data ends at once."""
    whole = b"GIF89a" + struct.pack("<HH", *canvas) + b"\x80\x00\x00" + b"\x00\x00\x00\xff\xff\xff"
    control = b"\x21\xf9\x04\x09\x0a\x00\x00\x00"
    # Two-bit codes: clear, colour 0, end.
    image = b"\x2c" + struct.pack("<HHHH", 0, 0, *frame) + b"\x00\x02\x02\x44\x01\x00"
    return whole + (control + image) * frames + b"\x3b"


# --- TIFF -----------------------------------------------------------------------

SHORT, LONG = 3, 4


def tiff(
    width: int,
    height: int,
    *,
    bits: tuple[int, ...] = (8,),
    photometric: int = 1,
    compression: int = 1,
    strips: list[bytes] | None = None,
    rows: int | None = None,
    tile: tuple[int, int] | None = None,
    planar: int = 1,
    sample_format: int = 1,
    shared: bytes | None = None,
    pieces: int = 1,
    extra: dict[int, tuple[int, list[int]]] | None = None,
    big: bool = False,
) -> bytes:
    """Return a TIFF of the given strips, or tiles with `tile`. `shared` is one strip that all
    `pieces` point to. `big` writes BigTIFF."""
    tags: dict[int, tuple[int, list[int]]] = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, list(bits)),
        259: (SHORT, [compression]),
        262: (SHORT, [photometric]),
        277: (SHORT, [len(bits)]),
        284: (SHORT, [planar]),
        339: (SHORT, [sample_format] * len(bits)),
    }
    head = 16 if big else 8
    stored = [shared] if shared is not None else (strips or [])
    offsets, position = [], head
    for strip in stored:
        offsets.append(position)
        position += len(strip) + len(strip) % 2
    counts = [len(strip) for strip in stored]
    if shared is not None:
        offsets, counts = offsets * pieces, counts * pieces
    if tile:
        tags |= {322: (LONG, [tile[0]]), 323: (LONG, [tile[1]])}
        tags |= {324: (LONG, offsets), 325: (LONG, counts)}
    else:
        tags |= {273: (LONG, offsets), 278: (LONG, [rows or height]), 279: (LONG, counts)}
    tags |= extra or {}

    body = b"".join(strip + b"\x00" * (len(strip) % 2) for strip in stored)
    entries, values = [], b""
    entry_size, inline = (20, 8) if big else (12, 4)
    after = position + (8 if big else 2) + entry_size * len(tags) + (8 if big else 4)
    for tag, (kind, numbers) in sorted(tags.items()):
        packed = struct.pack(f"<{len(numbers)}{'H' if kind == SHORT else 'L'}", *numbers)
        entry = struct.pack("<HHQ" if big else "<HHL", tag, kind, len(numbers))
        if len(packed) <= inline:
            entry += packed.ljust(inline, b"\x00")
        else:
            entry += struct.pack("<Q" if big else "<L", after + len(values))
            values += packed + b"\x00" * (len(packed) % 2)
        entries.append(entry)
    if big:
        start = b"II+\x00" + struct.pack("<HHQ", 8, 0, position)
        directory = struct.pack("<Q", len(entries)) + b"".join(entries) + bytes(8)
    else:
        start = b"II*\x00" + struct.pack("<L", position)
        directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return start + body + directory + values


def zeros_lzma(size: int) -> bytes:
    packer = lzma.LZMACompressor(lzma.FORMAT_XZ, preset=1)
    block = bytes(1 << 20)
    packed = [packer.compress(block) for _ in range(size >> 20)]
    return b"".join((*packed, packer.compress(bytes(size % (1 << 20))), packer.flush()))


def zeros_zstd(size: int) -> bytes:
    """Return a Zstandard frame of run-length blocks: four bytes for each 128 KiB."""
    blocks = []
    while size > 0:
        run = min(size, 128 * 1024)
        size -= run
        blocks.append(struct.pack("<L", run << 3 | 1 << 1 | int(size == 0))[:3] + b"\x00")
    # Magic, a descriptor without content size, a window of 128 KiB.
    return b"\x28\xb5\x2f\xfd\x00\x38" + b"".join(blocks)


def zeros_packbits(size: int) -> bytes:
    return b"\x81\x00" * (size // 128) + (bytes((257 - size % 128, 0)) if size % 128 > 1 else b"")


DEFLATE, LZMA, ZSTD, PACKBITS, JPEG, OLD_JPEG = 8, 34925, 50000, 32773, 7, 6


# --- BMP ------------------------------------------------------------------------


def bmp(width: int, height: int, *, bits: int, compression: int, data: bytes) -> bytes:
    colours = 1 << bits if bits <= 8 else 0
    start = 54 + 4 * colours
    head = struct.pack("<2sLHHL", b"BM", start + len(data), 0, 0, start)
    head += struct.pack(
        "<LllHHLLllLL", 40, width, height, 1, bits, compression, 0, 0, 0, colours, 0
    )
    return head + bytes(4 * colours) + data


def bmp_run_length(width: int, height: int) -> bytes:
    """Return a BMP with a delta to the last row and then the end. A decoder fills in everything
    between."""
    jumps = b"\x00\x02\x00\xff" * (height // 255)
    return bmp(width, height, bits=8, compression=1, data=jumps + b"\x01\x00\x00\x01")


# --- HEIF: HEIC and AVIF ----------------------------------------------------------


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L", 8 + len(body)) + kind + body


def full_box(kind: bytes, body: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">L", version << 24 | flags) + body)


def boxes(data: bytes) -> dict[bytes, bytes]:
    """Return the bodies of the consecutive boxes in `data`, by kind."""
    found, position = {}, 0
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">L4s", data, position)
        found[kind] = data[position + 8 : position + (size or len(data))]
        position += size or len(data)
    return found


class Heif:
    """A file of items, put together by hand."""

    def __init__(self, brand: bytes) -> None:
        self.brand = brand
        self.items: list[tuple[bytes, int, int]] = []  # kind, offset and length
        self.properties: list[bytes] = []
        self.has: list[list[int]] = []
        self.references: list[tuple[bytes, int, list[int]]] = []
        self.data = b""

    def stored(self, data: bytes) -> tuple[int, int]:
        """Store bytes, for any number of items. Return their offset and length."""
        self.data += data
        return len(self.data) - len(data), len(data)

    def property(self, body: bytes) -> int:
        self.properties.append(body)
        return len(self.properties)

    def size(self, width: int, height: int) -> int:
        return self.property(full_box(b"ispe", struct.pack(">LL", width, height)))

    def item(self, kind: bytes, place: tuple[int, int], properties: Iterable[int]) -> int:
        self.items.append((kind, *place))
        self.has.append(list(properties))
        return len(self.items)

    def file(self, primary: int) -> bytes:
        names, places, associated = b"", b"", b""
        for number, (kind, offset, length) in enumerate(self.items, 1):
            names += full_box(b"infe", struct.pack(">HH4sB", number, 0, kind, 0), 2)
            # Construction method 1: in the box of data within the metadata.
            places += struct.pack(">HHHHLL", number, 1, 0, 1, offset, length)
            associated += struct.pack(">HB", number, len(self.has[number - 1]))
            associated += b"".join(struct.pack(">H", 0x8000 | p) for p in self.has[number - 1])
        references = b"".join(
            box(kind, struct.pack(f">HH{len(to)}H", source, len(to), *to))
            for kind, source, to in self.references
        )
        count = len(self.items)
        meta = full_box(b"hdlr", struct.pack(">L4s12xB", 0, b"pict", 0))
        meta += full_box(b"pitm", struct.pack(">H", primary))
        meta += full_box(b"iloc", struct.pack(">BBH", 0x44, 0, count) + places, 1)
        meta += full_box(b"iinf", struct.pack(">H", count) + names)
        properties = box(b"ipco", b"".join(self.properties))
        ipma = full_box(b"ipma", struct.pack(">L", count) + associated, 0, 1)
        meta += box(b"iprp", properties + ipma)
        if references:
            meta += full_box(b"iref", references)
        meta += box(b"idat", self.data)
        kinds = self.brand + struct.pack(">L", 0) + b"mif1miaf" + self.brand
        return box(b"ftyp", kinds) + full_box(b"meta", meta)


def coded(format_: str, image: Image.Image) -> tuple[bytes, bytes, bytes]:
    """Return the coded bytes of a picture, the box that configures the decoder, and its kind."""
    options = {"quality": 30, "speed": 10} if format_ == "AVIF" else {"quality": 10}
    whole = saved(image, format_, **options)
    parts = boxes(whole)
    kinds = boxes(boxes(boxes(parts[b"meta"][4:])[b"iprp"])[b"ipco"])
    kind, item = (b"av1C", b"av01") if format_ == "AVIF" else (b"hvcC", b"hvc1")
    return parts[b"mdat"], box(kind, kinds[kind]), item


def heif_grid(format_: str, tile: int, columns: int, rows: int, size: tuple[int, int]) -> bytes:
    """Return a grid whose tiles all have the same bytes."""
    data, configuration, kind = coded(format_, Image.new("RGB", (tile, tile), "gray"))
    whole = Heif(b"avif" if format_ == "AVIF" else b"heic")
    place = whole.stored(data)
    about = [whole.property(configuration), whole.size(tile, tile)]
    depth = whole.property(full_box(b"pixi", b"\x03\x08\x08\x08"))
    tiles = [whole.item(kind, place, [*about, depth]) for _ in range(columns * rows)]
    layout = struct.pack(">BBBBLL", 0, 1, rows - 1, columns - 1, *size)
    grid = whole.item(b"grid", whole.stored(layout), [whole.size(*size), depth])
    whole.references.append((b"dimg", grid, tiles))
    return whole.file(grid)


def heif_lying(format_: str, real: int, claimed: tuple[int, int]) -> bytes:
    """Return a picture of `real` × `real` pixels. Its header states another size."""
    data, configuration, kind = coded(format_, Image.new("RGB", (real, real), "gray"))
    whole = Heif(b"avif" if format_ == "AVIF" else b"heic")
    depth = whole.property(full_box(b"pixi", b"\x03\x08\x08\x08"))
    about = [whole.property(configuration), whole.size(*claimed), depth]
    return whole.file(whole.item(kind, whole.stored(data), about))


def heif_overlay(canvas: tuple[int, int]) -> bytes:
    """Return a small picture laid over a large canvas."""
    data, configuration, kind = coded("HEIF", Image.new("RGB", (64, 64), "gray"))
    whole = Heif(b"heic")
    about = [whole.property(configuration), whole.size(64, 64)]
    small = whole.item(kind, whole.stored(data), about)
    layout = struct.pack(">BB4H2L2l", 0, 1, 0, 0, 0, 0xFFFF, *canvas, 0, 0)
    overlay = whole.item(b"iovl", whole.stored(layout), [whole.size(*canvas)])
    whole.references.append((b"dimg", overlay, [small]))
    return whole.file(overlay)


def heif_alpha(format_: str, size: int, alpha: int) -> bytes:
    """Return a small picture with a large alpha channel."""
    data, configuration, kind = coded(format_, Image.new("RGB", (size, size), "gray"))
    mask, mask_configuration, _kind = coded(format_, Image.new("L", (alpha, alpha), "gray"))
    whole = Heif(b"avif" if format_ == "AVIF" else b"heic")
    about = [whole.property(configuration), whole.size(size, size)]
    small = whole.item(kind, whole.stored(data), about)
    urn = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\x00"
    about = [whole.property(mask_configuration), whole.size(alpha, alpha)]
    about.append(whole.property(full_box(b"auxC", urn)))
    large = whole.item(kind, whole.stored(mask), about)
    whole.references.append((b"auxl", large, [small]))
    return whole.file(small)


def heif_exif(images: int, blocks: int, size: int) -> bytes:
    """Return small pictures and `blocks` of EXIF that each refer to all of them. All blocks have
    the same bytes, and a reader copies them `images` × `blocks` times."""
    data, configuration, kind = coded("HEIF", Image.new("RGB", (64, 64), "gray"))
    whole = Heif(b"heic")
    about = [whole.property(configuration), whole.size(64, 64)]
    place = whole.stored(data)
    small = [whole.item(kind, place, about) for _ in range(images)]
    place = whole.stored(struct.pack(">L", 0) + b"MM\x00*" + bytes(size))
    for _ in range(blocks):
        whole.references.append((b"cdsc", whole.item(b"Exif", place, []), small))
    return whole.file(small[0])


# --- What was found ---------------------------------------------------------------

# Small enough to measure quickly, and still far too expensive for its 8 megapixels.
MEASURED_SIDE = 2_900

_WHITE_ALPHA = png_chunk(b"tRNS", b"\x00\x00")


def _zstd_tiff(side: int, bits: tuple[int, ...], photometric: int, **more: Any) -> bytes:
    size = side * side * sum(bits) // 8
    return tiff(
        side, side, bits=bits, photometric=photometric, compression=ZSTD,
        strips=[zeros_zstd(size)], **more,
    )  # fmt: skip


def _alpha_tag(kind: int) -> dict[int, tuple[int, list[int]]]:
    return {338: (SHORT, [kind])}


_COLOUR_MAP = {320: (SHORT, [0] * 768)}

# Each of these once cost much more memory or time than its pixels need. `side` is the side of the
# picture: the same file can be drawn as large as the limit.
BY_SIDE: dict[str, Callable[[int], bytes]] = {
    "webp lossless": lambda side: webp_lossless(side, side),
    "webp lossless with alpha": lambda side: webp_lossless(side, side, alpha=True),
    "webp small frame": lambda side: webp_animated(side, side, 2, (1, 1)),
    "webp many frames": lambda side: webp_animated(side, side, 1_000, (side, side)),
    "png 16 bits": lambda side: png(side, side, 16, 0),
    "png 16 bits, alpha": lambda side: png(side, side, 16, 4),
    "png 16 bits, colour, alpha": lambda side: png(side, side, 16, 6),
    "png palette with alpha": lambda side: png(
        side, side, 1, 3, before=(PALETTE, PALETTE_ALPHA)
    ),
    "png palette with alpha, interlaced": lambda side: png(
        side, side, 1, 3, before=(PALETTE, PALETTE_ALPHA), interlaced=True
    ),
    "png grey with a transparent one": lambda side: png(side, side, 1, 0, before=(_WHITE_ALPHA,)),
    "png grey and alpha": lambda side: png(side, side, 8, 4),
    "png colour and alpha": lambda side: png(side, side, 8, 6),
    "png one bit, interlaced": lambda side: png(side, side, 1, 0, interlaced=True),
    "png animated": lambda side: apng(side, 12),
    "png one pixel wide": lambda side: png(1, side * side, 1, 0),
    "png one pixel high": lambda side: png(side * side, 1, 1, 0),
    "png long": lambda side: png(side * 4, side // 4, 1, 3, before=(PALETTE, PALETTE_ALPHA)),
    "jpeg without data": lambda side: jpeg(side, side, components=3),
    "jpeg without data, cmyk": lambda side: jpeg(side, side, components=4),
    "jpeg progressive": lambda side: jpeg(side, side, components=3, progressive=True),
    "jpeg progressive, cmyk": lambda side: jpeg(side, side, components=4, progressive=True),
    "jpeg many scans": lambda side: jpeg(side, side, progressive=True, scans=5_000),
    "gif small frame": lambda side: gif((side, side), (1, 1)),
    "gif many frames": lambda side: gif((side, side), (1, 1), 1_000),
    "gif frame beyond its canvas": lambda side: gif((1, 1), (side, side)),
    "tiff float": lambda side: _zstd_tiff(side, (32,), 1, sample_format=3),
    "tiff float, big": lambda side: _zstd_tiff(side, (32,), 1, sample_format=3, big=True),
    "tiff 32 bits": lambda side: _zstd_tiff(side, (32,), 1, sample_format=2),
    "tiff 16 bits": lambda side: _zstd_tiff(side, (16,), 1),
    "tiff 16 bits, colour": lambda side: _zstd_tiff(side, (16,) * 3, 2),
    "tiff 16 bits, alpha": lambda side: _zstd_tiff(side, (16,) * 4, 2, extra=_alpha_tag(2)),
    "tiff cmyk": lambda side: _zstd_tiff(side, (8,) * 4, 5),
    "tiff cmyk, 16 bits": lambda side: _zstd_tiff(side, (16,) * 4, 5),
    "tiff lab": lambda side: _zstd_tiff(side, (8,) * 3, 8),
    "tiff ycbcr": lambda side: _zstd_tiff(side, (8,) * 3, 6, extra={530: (SHORT, [1, 1])}),
    "tiff palette with alpha": lambda side: _zstd_tiff(
        side, (8, 8), 3, extra={**_COLOUR_MAP, **_alpha_tag(2)}
    ),
    "tiff grey and alpha": lambda side: _zstd_tiff(side, (8, 8), 1, extra=_alpha_tag(2)),
    "tiff premultiplied": lambda side: _zstd_tiff(side, (8,) * 4, 2, extra=_alpha_tag(1)),
    "tiff planes": lambda side: tiff(
        side, side, bits=(8,) * 4, photometric=2, planar=2, compression=ZSTD,
        shared=zeros_zstd(side * side), pieces=4, extra=_alpha_tag(2),
    ),
    "tiff lzma strips": lambda side: tiff(
        side, side, bits=(32,), sample_format=3, compression=LZMA, rows=64,
        shared=zeros_lzma(4 * side * 64), pieces=-(-side // 64),
    ),
    "tiff rows that are all the same bytes": lambda side: tiff(
        side, side, bits=(32,), sample_format=3, rows=1, shared=bytes(4 * side), pieces=side
    ),
    "tiff turned": lambda side: tiff(
        side, side, bits=(8,) * 4, photometric=2, rows=1, shared=bytes(4 * side), pieces=side,
        extra={**_alpha_tag(2), 274: (SHORT, [6])},
    ),
    "tiff one pixel in a large tile": lambda side: tiff(
        1, 1, bits=(8,) * 4, photometric=2, compression=ZSTD, tile=(side // 16 * 16,) * 2,
        strips=[zeros_zstd(4 * (side // 16 * 16) ** 2)], extra=_alpha_tag(2),
    ),
    # A row with more bits than a decoder can count.
    "tiff one pixel high": lambda side: tiff(
        150_000_000, 1, bits=(32,), sample_format=3, strips=[bytes(400)]
    ),
    "tiff infinite values": lambda side: tiff(
        64, 48, bits=(32,), sample_format=3, strips=[struct.pack("<f", float("inf")) * 64 * 48]
    ),
    "avif larger by its header": lambda side: heif_lying("AVIF", 64, (side, side)),
    "avif with alpha": lambda side: saved(
        Image.new("RGBA", (side, side)), "AVIF", quality=10, speed=10
    ),
    "heic grid": lambda side: heif_grid(
        "HEIF", 512, -(-side // 512), -(-side // 512), (side, side)
    ),
    "heic canvas": lambda side: heif_overlay((side, side)),
    "heic much exif": lambda side: heif_exif(1, 900, 250_000),
    "bmp run length": lambda side: bmp_run_length(side, side),
}  # fmt: skip
