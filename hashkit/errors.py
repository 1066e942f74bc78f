"""The exceptions of hashkit, each with a stable code.

    HashkitError
    ├── FileError                 the bytes could not be read
    │   ├── FileMissing           file_missing
    │   ├── FileEmpty             file_empty
    │   ├── FileUnreadable        file_unreadable
    │   ├── NotDownloaded         not_downloaded
    │   ├── IsAFolder             is_a_folder
    │   ├── NotAFile              not_a_file
    │   ├── LinkLoop              link_loop
    │   ├── FileTooBig            file_too_big
    │   └── FileChanged           file_changed
    ├── MediaError                the bytes were read, but give no picture
    │   ├── NotMedia              not_media
    │   │   └── IsAnArchive       is_an_archive
    │   ├── UnsupportedMedia      unsupported_media
    │   ├── MediaTruncated        media_truncated
    │   ├── MediaCorrupt          media_corrupt
    │   ├── TooManyPixels         too_many_pixels
    │   ├── TooLong               too_long
    │   ├── NoVideo               no_video
    │   ├── ProtectedMedia        protected_media
    │   ├── TooMuchMemory         too_much_memory
    │   ├── TookTooLong           took_too_long
    │   └── DecoderCrashed        decoder_crashed
    ├── DocumentError             a submission could not be read or written
    │   ├── DocumentInvalid       document_invalid
    │   ├── OutputExists          output_exists
    │   └── OutputUnwritable      output_unwritable
    ├── SealError                 a submission could not be sealed, or a sealed one not opened
    │   ├── SealUnavailable       seal_unavailable
    │   ├── RecipientUnknown      recipient_unknown
    │   ├── IdentityUnknown       identity_unknown
    │   ├── PassphraseShort       passphrase_short
    │   ├── NotSealed             not_sealed
    │   ├── WrongKey              wrong_key
    │   ├── SealCostly            seal_costly
    │   └── SealDamaged           seal_damaged
    ├── SendingError              hashes could not be handed to a service, or not taken back
    │   ├── SendingUnavailable    sending_unavailable
    │   ├── ProfileUnknown        profile_unknown
    │   ├── ProfileUnfit          profile_unfit
    │   ├── CredentialMissing     credential_missing
    │   ├── RecordDamaged         record_damaged
    │   ├── RecordUnwritable      record_unwritable
    │   ├── AlreadySending        already_sending
    │   ├── ServiceUnreachable    service_unreachable
    │   ├── CertificateRefused    certificate_refused
    │   ├── ConnectionLost        connection_lost
    │   ├── ServiceBusy           service_busy
    │   ├── ServiceRefused        service_refused
    │   └── NoWithdrawal          no_withdrawal
    ├── UnknownAlgorithm          unknown_algorithm
    ├── WorkerLost                worker_lost
    ├── WorkerUnavailable         worker_unavailable
    └── PageUnavailable           page_unavailable

``code`` is the name of the class in small letters, and never changes once released: programs may
branch on it. ``text`` says what happened and
``advice`` what to do next, both in plain words; neither holds a path or a file name, so that an
error can be passed on without revealing the names of files. A traceback names the path, in a note.
"""

from __future__ import annotations

import re
from typing import ClassVar


class HashkitError(Exception):
    """The base of all errors that hashkit raises on purpose."""

    code: ClassVar[str] = "error"
    text: str = "Something went wrong."
    advice: str = ""

    def __init__(self, text: str | None = None, *, advice: str | None = None) -> None:
        if text is not None:
            self.text = text
        if advice is not None:
            self.advice = advice
        super().__init__(self.text)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "text" in vars(cls):  # a branch of the tree has no text, and no code of its own
            cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class FileError(HashkitError):
    """The bytes of the file could not be read."""


class FileMissing(FileError):
    """There is nothing at this path."""

    text = "There is no file with this name here."
    advice = "Check the spelling, or drag the file into the window to insert its name."


class FileEmpty(FileError):
    """The file has no bytes."""

    text = "The file is empty."
    advice = "If it was copied or downloaded, copy it again."


class FileUnreadable(FileError):
    """The system refused to open or read the file."""

    text = "The file could not be read."
    advice = "Check that you may open it, and that the disk or card it is on is connected."


class NotDownloaded(FileError):
    """A placeholder, whose name says that the picture or video is only in a cloud."""

    text = "This is in a cloud, and not on this device."
    advice = "Open it in the cloud's app or folder to download it. Then hash it."


class IsAFolder(FileError):
    """A folder where a file is meant."""

    text = "This is a folder."
    advice = "Add -r to hash the pictures in it."


class NotAFile(FileError):
    """A device, a pipe or a socket: reading it may never end."""

    text = "This is a device or a pipe, not a file."
    advice = "Save the picture as a file first."


class LinkLoop(FileError):
    """A symbolic link that leads back to itself."""

    text = "This is a link that leads back to itself."
    advice = "Give the name of the picture itself."


class FileTooBig(FileError):
    """A picture of more than 1 GiB, or a file of more than 64 GiB. Of the latter, only the first
    bytes are read, which tell what kind of file it is."""

    text = "The file is too big to be opened here."
    advice = "Check that it is the file you mean. A picture may have 1 GB, and a video 64 GB."


class FileChanged(FileError):
    """The file was written to while it was being read, so its hashes would mix two versions."""

    text = "The file changed while it was being read."
    advice = "Wait until it is saved or downloaded completely, then try again."


class MediaError(HashkitError):
    """The bytes were read, but they give no picture."""


class NotMedia(MediaError):
    """The content is not a picture or video of any format that hashkit knows."""

    text = "This is not a picture or a video."
    advice = "If it should be one, it may be damaged or encrypted: try another copy."


class IsAnArchive(NotMedia):
    """A ZIP, RAR, 7z or other archive, which may hold pictures. Whatever its name is: some services
    hand out photos as a ZIP that is named like one."""

    text = "This is an archive (such as a ZIP file), which may hold pictures."
    advice = "Unpack it first. Then hash the pictures that were in it."


class UnsupportedMedia(MediaError):
    """A picture of a format that hashkit knows by name but cannot decode."""

    text = "This kind of picture cannot be opened here."
    advice = "Hash the JPEG, PNG or HEIC version of it, the one that would be shared."


class MediaTruncated(MediaError):
    """The file ends before any of the picture could be decoded."""

    text = "The file is cut short, and no part of the picture could be read."
    advice = "If it was copied or downloaded, copy it again."


class MediaCorrupt(MediaError):
    """The decoder failed."""

    text = "The file is damaged, and the picture could not be read."
    advice = "Try another copy of it."


class TooManyPixels(MediaError):
    """The picture has more pixels than the limit (a decompression bomb, or a very large scan)."""

    text = "The picture has more pixels than the limit allows."
    advice = "If you trust the file, raise the limit with --max-pixels."


class TooLong(MediaError):
    """The video claims to be longer than the limit."""

    text = "The video says that it is longer than a day."
    advice = "If that is not true, the file is damaged: try another copy."


class NoVideo(MediaError):
    """A video container with sound or cover art only."""

    text = "This file holds sound, but no video."
    advice = "Check that it is the file you mean."


class ProtectedMedia(MediaError):
    """A video that is encrypted, so that only the players of its seller show it."""

    text = "This video is protected against copying, so it cannot be opened here."
    advice = "If there is a copy without protection, hash that one."


class TooMuchMemory(MediaError):
    """Decoding takes more memory than a worker may have."""

    text = "Opening this file takes more memory than hashkit allows."
    advice = "Hash a smaller copy of it, the one that would be shared."


class TookTooLong(MediaError):
    """The worker made no progress for longer than the time limit, and was killed."""

    text = "Opening this file took too long, so it was stopped."
    advice = "It may be damaged: try another copy. For a slow computer, raise --time-limit."


class DecoderCrashed(MediaError):
    """The worker crashed on this file, or gave an invalid answer."""

    text = "Opening this file made the decoder crash."
    advice = "It may be damaged, or made to do harm. Nothing happened to your other files."


class DocumentError(HashkitError):
    """A submission document could not be read or written."""


class DocumentInvalid(DocumentError):
    """The document is not a hashkit submission, or holds something that does not belong in one."""

    text = "This is not a hashkit submission."
    advice = "Make one with: hashkit hash PHOTO --out submission.json"


class OutputExists(DocumentError):
    """The target exists and may not be replaced."""

    text = "There is already a file with this name. It was left as it is."
    advice = "Choose another name, or add --force to replace it."


class OutputUnwritable(DocumentError):
    """The target could not be written; nothing was left behind."""

    text = "The file could not be written. Nothing was left behind."
    advice = "Check that the folder exists and that you may write to it."


class SealError(HashkitError):
    """A submission could not be sealed, or a sealed one could not be opened."""


class SealUnavailable(SealError):
    """The package pyrage, which seals and opens, is not installed."""

    text = "The part of hashkit that seals and opens files is not installed."
    advice = "Install it with: pip install pyrage"


class RecipientUnknown(SealError):
    """A recipient that is no public key of age."""

    text = "This is not a public key of age."
    advice = "It begins with age1. Copy it again, all of it, from the person it belongs to."


class IdentityUnknown(SealError):
    """An identity file that holds no private key of age."""

    text = "There is no private key of age in this file."
    advice = "It holds a line that begins with AGE-SECRET-KEY-1, as age-keygen writes it."


class PassphraseShort(SealError):
    """A passphrase that could be guessed."""

    text = "This passphrase is too short to keep anything safe."
    advice = "Take at least 12 letters: four or five words that do not belong together are good."


class NotSealed(SealError):
    """A file that is not sealed."""

    text = "This file is not sealed."
    advice = "Check that it is the file you mean. To see what is in a submission: hashkit inspect"


class WrongKey(SealError):
    """The key or the passphrase is not one that opens this file."""

    text = "This key or passphrase does not open the file."
    advice = "Ask the person who sealed it which one they used."


class SealCostly(SealError):
    """Trying a passphrase would take this computer far longer than it takes usual ones."""

    text = "Trying a passphrase on this file would take this computer very long."
    advice = "Try again when it is less busy, or on a faster one. The program age opens it too."


class SealDamaged(SealError):
    """The sealed file is cut short, or was changed after it was sealed."""

    text = "The sealed file is damaged or cut short. Nothing was taken from it."
    advice = "If it was copied, downloaded or pasted, do that again, all of it."


class SendingError(HashkitError):
    """Hashes could not be handed to a service, or could not be taken back from it."""


class SendingUnavailable(SendingError):
    """The package httpx, which sends, or keyring, where a profile needs it, is not installed."""

    text = "The part of hashkit that sends is not installed."
    advice = "Install it with: pip install httpx"


class ProfileUnknown(SendingError):
    """A name that no profile has."""

    text = "There is no profile with this name."
    advice = "See those that there are with: hashkit profiles"


class ProfileUnfit(SendingError):
    """A profile, or the file of profiles, that cannot be used; the text says why."""

    text = "This is not a file of profiles."
    advice = "How to write one: docs/sending.md"


class CredentialMissing(SendingError):
    """A credential is not where the profile says that it is."""

    text = "A credential is not where the profile says."
    advice = "Check them with: hashkit profiles"


class RecordDamaged(SendingError):
    """The record of what was sent cannot be read: sending on could send something twice."""

    text = "The record of what was sent, beside the submission, cannot be read."
    advice = "Restore it. Without it, hashkit does not know what the service has already."


class RecordUnwritable(SendingError):
    """What was sent, or is about to be, cannot be noted: going on could send something twice."""

    text = "What is sent cannot be noted beside the submission. Nothing more was done."
    advice = "Is there space, and may you write there? Then run it again to go on with the rest."


class AlreadySending(SendingError):
    """Another hashkit is sending, or withdrawing, the same submission."""

    text = "This submission is being sent at this moment."
    advice = "Wait until that is done."


class ServiceUnreachable(SendingError):
    """No connection to the service: nothing was sent in this attempt."""

    text = "The service could not be reached."
    advice = "Check the connection and the address in the profile. Run it again to go on."


class CertificateRefused(SendingError):
    """The service, or somebody in between, did not prove that it is who the profile names."""

    text = "The certificate of the service could not be trusted. Nothing was sent."
    advice = "Somebody may be listening. Try another network, or ask the service."


class ConnectionLost(SendingError):
    """The connection ended, or nothing came for too long, before the service had answered."""

    text = "The connection was lost before the service had answered."
    advice = "Run it again to go on with the rest."


class ServiceBusy(SendingError):
    """The service keeps asking to try later."""

    text = "The service cannot take more at the moment."
    advice = "Run it again later to go on with the rest."


class ServiceRefused(SendingError):
    """The service takes nothing in this way: credentials, address or agreement do not fit."""

    text = "The service refused."
    advice = "Check the profile with the people of the service. Nothing more was done."


class NoWithdrawal(SendingError):
    """The service has no published way to take hashes back."""

    text = "This service has no published way to take hashes back."
    advice = "Ask the people of the service."


class UnknownAlgorithm(HashkitError):
    """A name that is no algorithm of hashkit."""

    text = "This is not the name of a hash that hashkit can compute."


class WorkerLost(HashkitError):
    """The executor that hash_files was given lost the work on this file, or no worker could be
    started for it any more."""

    text = "The work on this file was lost."
    advice = "Try it again. On a cluster, check first that it is running."


class WorkerUnavailable(HashkitError):
    """No worker could be started: nothing can be hashed."""

    text = "The part of hashkit that opens files could not be started."
    advice = "Run: hashkit doctor"


class PageUnavailable(HashkitError):
    """The local page cannot be served."""

    text = "The page could not be started: this computer gives no port to it."
    advice = "Close some programs, and try again."
