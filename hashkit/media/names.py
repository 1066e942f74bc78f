"""The endings of file names that people know pictures and videos by.

What a file is comes from its content, never from its name: see ``formats``. The name says what the
owner takes it for. Where the two differ, in a folder of many files, the owner must hear of it.
"""

from __future__ import annotations

from hashkit.models import MediaKind

_PICTURES = (
    # What browsers show, and its older names.
    "jpg jpeg jpe jfif jif jpg_large jpeg_large png apng gif bmp dib ico webp avif avifs "
    # Phones and cameras: HEIF with HEVC, H.264 and JPEG in it; several views; small previews.
    "heic heif heics heifs hif avci avcs mpo jps thm insp "
    "jp2 jpg2 j2k j2c jpc jpf jpx jpm jph jphc jhc jxl jxr wdp hdp jls jxs tif tiff "
    # Camera raw.
    "dng cr2 cr3 crw nef nrw arw srf sr2 srw raf orf rw2 rwl raw pef 3fr fff iiq mos mef mrw "
    "kdc dcr erf x3f gpr "
    # Programs that edit, scan or render.
    "psd psb xcf exr hdr tga pcx pct pict sgi ras qoi flif bpg wbmp ppm pgm pbm pnm pam pfm"
)
_VIDEOS = (
    "mp4 m4v mov qt 3gp 3gpp 3g2 3gp2 mkv mk3d webm gifv avi divx xvid wmv asf flv f4v "
    "mpg4 mj2 mjp2 m4s wm mpg mpeg mpe mpv m1v m2v m2p vob ts tts m2t m2ts mts trp tp ogv ogm rm "
    "rmvb rv "
    # Streams without a container, and what cameras and recorders write.
    "mjpeg mjpg mjp dv dif mxf h264 264 avc h265 265 hevc ivf nut y4m gxf wtv dvr-ms amv mod tod "
    "insv lrv 360 braw r3d"
)

PICTURES = frozenset(_PICTURES.split())
"""Endings of pictures, in small letters, without the dot."""

VIDEOS = frozenset(_VIDEOS.split())
"""Endings of videos, in small letters, without the dot."""

ALSO_TEXT = frozenset(["ts", "mts", "mod", "hdr"])
"""Those of them that texts have too: TypeScript and Qt translations, modules of Go, headers."""

PLACEHOLDERS = frozenset(["icloud", "cloud", "cloudf", "nextcloud", "owncloud"])
"""What iCloud (before macOS 14), odrive, Nextcloud and ownCloud add to the name of a file that is
only in the cloud. (The placeholders of OneDrive, Google Drive and Dropbox have the file's name.)"""

UNFINISHED = frozenset(["crdownload", "part", "partial", "download", "opdownload"])
"""What browsers add to the name of a download that is not done."""

_OLD_ICLOUD = "-tef"  # between the name and ".icloud", in early versions of macOS


def kind_from(name: str) -> MediaKind | None:
    """What a file is named like, or a download that is not done. None for any other name."""
    ending = ending_of(name)
    if ending in UNFINISHED:
        ending = ending_of(name.rpartition(".")[0])
    if ending in PICTURES:
        return MediaKind.IMAGE
    return MediaKind.VIDEO if ending in VIDEOS else None


def may_be_text(name: str) -> bool:
    """Whether texts have this ending as often as videos or pictures."""
    return ending_of(name) in ALSO_TEXT


def is_placeholder(name: str) -> bool:
    """Whether this stands for a picture, a video, or something without an ending, in a cloud."""
    stem, _, ending = name.rpartition(".")
    if ending.lower() not in PLACEHOLDERS:
        return False
    original = stem.removesuffix(_OLD_ICLOUD).removeprefix(".")
    return bool(original) and (kind_from(original) is not None or not ending_of(original))


def ending_of(name: str) -> str:
    """The ending of a name, in small letters and without the dot; empty where there is none."""
    stem, _, ending = name.rpartition(".")
    return ending.lower() if stem else ""
