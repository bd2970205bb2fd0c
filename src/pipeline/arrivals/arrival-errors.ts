/** Why files are not taken, or not yet. Messages name rules and limits, never content; a file's name is content. */
import { defineErrors } from '../../platform/base/errors.ts';

export const arrivalErrors = defineErrors({
  E_NAME: {
    meaning:
      'The name of the file is not one that is safe to keep or show: a path, control or text-direction characters, a reserved or too long name.',
    actor: 'sender',
    next: 'Send the file under a plain name of at most 255 bytes.',
  },
  E_NAME_MATCH: {
    meaning: 'The flow takes uploads of other names only.',
    actor: 'caller',
    next: 'Send the file under a name that `match` of the source describes, or to the right flow.',
  },
  E_FILE_KIND: {
    meaning:
      'What lies in the source folder is no plain file of its own: a link, a file with several names, a pipe or a device. It was not opened.',
    actor: 'sender',
    next: 'Put a copy of the file itself there.',
  },
  E_FILE_TOO_LARGE: {
    meaning: "The file is larger than its source's limit.",
    actor: 'sender',
    next: 'Send it in parts, or have `limits.maxSize` of the source raised.',
  },
  E_BOMB: {
    meaning: 'The packed file unpacks to more than the limits of its source allow, in all or for each received byte.',
    actor: 'sender',
    next: 'Send the file unpacked, or have the limits raised if it is what it should be.',
  },
  E_PACKED_WINDOW: {
    meaning: 'The file was packed with zstd so that unpacking it takes a window of more than 8 MiB of memory.',
    actor: 'sender',
    next: 'Pack it with `zstd -19` or a lower level, without `--ultra` and `--long`, and send it.',
  },
  E_ARCHIVE: {
    meaning:
      'The file is not packed as its source or its Content-Encoding says that it is, or is damaged, incomplete, packed with a dictionary, or has bytes behind its end; or an archive says one thing in one place and another elsewhere: sizes, places, checksums. Nothing of it was taken.',
    actor: 'sender',
    next: 'Pack the file as its source says (`unpack`) and send it; one that is not packed, to a source without `unpack`.',
  },
  E_ARCHIVE_NAME: {
    meaning:
      'The archive has a member whose name or path is not safe to use, is longer than 255 bytes, is not UTF-8, or is the same as that of another one. Nothing of it was taken.',
    actor: 'sender',
    next: 'Pack the files under plain names, each another one also without its folders, and send the archive.',
  },
  E_ARCHIVE_ENTRY: {
    meaning:
      'The archive has an entry that is no plain file: a link, a device, encrypted, or packed in a way that is not taken. Nothing of it was taken.',
    actor: 'sender',
    next: 'Pack plain files only, as `zip` does without options, and send the archive.',
  },
  E_ARCHIVE_MEMBERS: {
    meaning: 'The archive has more entries than its source allows, or no file. Nothing of it was taken.',
    actor: 'sender',
    next: 'Send the files in several archives, or have `limits.maxMembers` of the source raised.',
  },
  E_PGP_MESSAGE: {
    meaning: 'The file is no encrypted OpenPGP message, or more than one, though its source says so. Nothing of it was taken.',
    actor: 'sender',
    next: 'Encrypt and sign the file as one message, as `gpg --encrypt --sign` does, and send it.',
  },
  E_PGP_OTHER_KEY: {
    meaning: 'The OpenPGP message is not encrypted to the key of its source, or only with a password.',
    actor: 'sender',
    next: 'Encrypt the file to the public key that belongs to the source at present, and send it.',
  },
  E_PGP_INTEGRITY: {
    meaning: 'The OpenPGP message is damaged, cut off or was changed, or has something behind its end. Nothing of it was taken.',
    actor: 'sender',
    next: 'Send the file again; if it happens again, someone changes it on the way.',
  },
  E_PGP_SIGNATURE: {
    meaning: 'The signature of the OpenPGP message is not that of its content. Nothing of it was taken.',
    actor: 'sender',
    next: 'Find out who made the file; sign it anew and send it.',
  },
  E_PGP_UNSIGNED: {
    meaning: 'The OpenPGP message is not signed, and its source takes signed ones only.',
    actor: 'sender',
    next: 'Sign the file as well as encrypting it (`gpg --sign --encrypt`), and send it.',
  },
  E_PGP_SIGNER: {
    meaning:
      'The OpenPGP message is signed by nobody whose key is pinned, or by a key that is expired or revoked. Nothing of it was taken.',
    actor: 'sender',
    next: "Sign with the key that was agreed on; a new one has to be put among the `signers` of the source's connection before.",
  },
  E_PGP_WEAK: {
    meaning:
      'The OpenPGP message is encrypted or signed in a way that proves nothing any more: without integrity protection, with a cipher other than AES, or signed over SHA-1 or MD5.',
    actor: 'sender',
    next: 'Use a present version of the program with its defaults, and send the file.',
  },
  E_MANIFEST: {
    meaning: 'The file is not the one that its manifest describes.',
    actor: 'sender',
    next: 'Send file and manifest again; compare size and SHA-256 before.',
  },
  E_DUPLICATE: {
    meaning: 'The flow has accepted this file before, by the keys that it compares.',
    actor: 'sender',
    next: 'Nothing, if it was sent twice by mistake; `headgate arrival get` names the first one (`duplicateOf`). To run the same file again, as when its job was rejected for a mistake of the flow: apply the corrected flow with `duplicates: { onDuplicate: hold }`, send the file again, and take it with `headgate arrival accept` (docs/deliveries.md, "The whole file again").',
  },
  E_SAME_NAME: {
    meaning: 'The flow has accepted another file of this name before.',
    actor: 'sender',
    next: 'Send the file under a name of its own.',
  },
  E_FILE_CHANGED: {
    meaning: 'The file changed while it was read; it is read again when it rests.',
    actor: 'sender',
    next: 'Write under another name and rename when complete, or use a marker file.',
    retryable: true,
  },
  E_ARRIVAL_OVERDUE: {
    meaning: 'A file was seen at its source but is still not complete after the time that its source allows.',
    actor: 'operator',
    next: 'Ask the sender: the marker or manifest is missing, or the file never stops growing.',
  },
  E_SOURCE: {
    meaning: 'A source folder, bucket or container cannot be read or written, or lies outside the root of its connection.',
    actor: 'operator',
    next: 'Check path, mount and permissions of the folder; where it is missing, bring back its mount first.',
    retryable: true,
  },
  E_SOURCE_PERMISSION: {
    meaning:
      'The server of a source does not let the user read, move or delete a file, or use a folder. What was accepted stays accepted, and is not read again.',
    actor: 'operator',
    next: 'Have the owner of the server give the user rights: to list and read the folder, and to rename and delete in it unless `afterwards` is `leave`.',
    retryable: true,
  },
  E_SOURCE_UNREACHABLE: {
    meaning: 'No connection to the server of a source could be made.',
    actor: 'operator',
    next: 'Check host and port of the connection, that the server runs, and that the network lets it be reached. It is tried again by itself.',
    retryable: true,
  },
  E_SOURCE_TIMEOUT: {
    meaning:
      'The server of a source did not answer in time, or gave a list or a file so slowly that nobody waits for it; the connection to it was ended.',
    actor: 'operator',
    next: 'Look at the load of the server and at the network between. It is tried again by itself.',
    retryable: true,
  },
  E_SOURCE_LOST: {
    meaning: 'The connection to the server of a source was lost, again and again, while files were listed, read or moved.',
    actor: 'operator',
    next: 'Look at the log of the server and at the network between. It is tried again by itself; what was accepted is not read again.',
    retryable: true,
  },
  E_SOURCE_BUSY: {
    meaning: 'The service of a source asks to be left alone for a while, or failed on its own side.',
    actor: 'operator',
    next: 'Look at the state of the service and at its limits for requests; poll less often where they are reached. It is tried again by itself.',
    retryable: true,
  },
  E_SOURCE_HOST_KEY: {
    meaning: 'The server of a source shows a host key to which the connection is not pinned. Nothing was sent to it and nothing read.',
    actor: 'administrator',
    next: 'Ask the owner of the server, by another way than this message, whether its key was changed and to which; then put that into `hostKeys` of the connection. If it was not changed, someone stands between.',
    retryable: true,
  },
  E_SOURCE_CREDENTIALS: {
    meaning: 'The server of a source refused the user or its credentials, or a key can not be read.',
    actor: 'administrator',
    next: 'Put a valid password, key or token where the connection points to, or have the public key added at the server; it is read again at the next try.',
    retryable: true,
  },
  E_SOURCE_ALGORITHMS: {
    meaning: 'The server of a source offers only key exchanges, ciphers or host keys that are not trusted any more, such as SHA-1 or DSA.',
    actor: 'operator',
    next: 'Have the owner update the server; OpenSSH of the last ten years does with its defaults.',
    retryable: true,
  },
  E_SOURCE_ANSWER: {
    meaning:
      'The server of a source offers no SFTP to the user, answers with what is not of its protocol, lists a folder without names and without an end, or says that it renamed a file and did not.',
    actor: 'operator',
    next: 'Try the connection with another program, such as the command `sftp`; have the owner of the server correct it.',
    retryable: true,
  },
  E_SOURCE_REPLACED: {
    meaning:
      'A file took the name of an accepted one while that was being moved away or marked, went along in its place, and could not be put back, because a third one has the name by now. It was not taken.',
    actor: 'operator',
    next: 'Look for it where files of the source go once they are taken, under the name of the arrival that the log names, with its mark or id; rename it into the folder if it is wanted. Have the sender use a name once.',
  },
  E_SOURCE_FENCED: {
    meaning: 'Another process polls this source now; what this one was doing was not kept.',
    actor: 'operator',
    next: 'Nothing: the other process goes on.',
    retryable: true,
  },
  E_QUOTA_STORED: {
    meaning: 'The tenant has as many bytes stored as its policy allows; nothing of the file was kept.',
    actor: 'administrator',
    next: 'Purge what is no longer needed, or raise `admission.maxStoredBytes`.',
  },
  E_QUOTA_HELD: {
    meaning: 'As many bytes wait for a decision as the policy of the tenant allows; nothing of the file was kept.',
    actor: 'operator',
    next: 'Release or reject what is held.',
  },
  E_BACKLOG: {
    meaning: 'As much work of the tenant waits as its policy allows; nothing of the file was kept.',
    actor: 'caller',
    next: 'Send it again after the time given.',
    retryable: true,
  },
  E_FILE_RATE: {
    meaning: 'More files came within a minute than the policy or the source allows; nothing of the file was kept.',
    actor: 'caller',
    next: 'Send it again after the time given.',
    retryable: true,
  },
  E_UNPACK_BUSY: {
    meaning: 'As many uploads of archives or packed with zstd as may be are being unpacked already; nothing of the file was kept.',
    actor: 'caller',
    next: 'Send it again after the time given.',
    retryable: true,
  },
  E_DIGEST_HEADER: {
    meaning: 'A digest header is not of the form of RFC 9530, has no sha-256, or comes as a trailer behind the body.',
    actor: 'caller',
    next: 'Send `Repr-Digest: sha-256=:<base64>:` as a header before the body, or no digest.',
  },
  E_DIGEST: {
    meaning: 'What arrived is not what the digest header says, or the manifest that was sent before over SFTP; nothing of it was kept.',
    actor: 'caller',
    next: 'Send the file again.',
  },
  E_CONTENT_ENCODING: {
    meaning: 'The body has an encoding, or several, that are not taken.',
    actor: 'caller',
    next: "Send the file unpacked, or with one `Content-Encoding: gzip` or `zstd`; or give the flow's source `unpack: gzip` or `unpack: zstd`, which `headgate ingest` needs for packed files.",
  },
  E_UPLOAD_TOO_LARGE: {
    meaning: 'The upload is larger than the limit of its flow; nothing of it was kept.',
    actor: 'caller',
    next: 'Send it in parts, or have `limits.maxSize` of the source raised.',
  },
  E_UPLOAD_TIMEOUT: {
    meaning: 'The sender stopped sending; nothing of the upload was kept.',
    actor: 'caller',
    next: 'Send it again.',
    retryable: true,
  },
  E_UPLOAD_ABORTED: {
    meaning: 'The upload ended before the whole body had come; nothing of it was kept.',
    actor: 'caller',
    next: 'Send it again.',
    retryable: true,
  },
  E_UPLOAD_SOURCE: {
    meaning: 'The flow takes no uploads: it has no source of type http.',
    actor: 'author',
    next: 'Add a source of type http to the flow.',
  },
  E_BLOB_EVENT: {
    meaning: 'What a blob source was told is no notification that is understood.',
    actor: 'caller',
    next: 'Send what Amazon S3, EventBridge or Azure Event Grid (in its own schema, not that of CloudEvents) sends, as it is. What was not told of is found by the next listing.',
  },
  E_BLOB_EVENT_SOURCE: {
    meaning: 'The flow has no blob source of this id: only these are told of new objects.',
    actor: 'caller',
    next: 'Use the id of a source of type blob of the version in force; `headgate flow get` shows them.',
  },
  E_FLOW_DISABLED: {
    meaning: 'The flow is disabled and takes no files.',
    actor: 'operator',
    next: 'Enable it with `headgate flow enable`.',
  },
  E_INTAKE_ENDED: {
    meaning:
      'The thread that takes bytes in ended, perhaps for want of memory, or could not be started; nothing of what it had in hand was kept.',
    actor: 'operator',
    next: 'Nothing, if it stays at once: the files are taken in again. Else look at the memory of the machine, and at its limits of processes and open files (`ulimit -u`, `ulimit -n`).',
    retryable: true,
  },
  E_ARRIVAL_STATE: {
    meaning: 'The arrival is not in a state in which this can be done.',
    actor: 'operator',
    next: 'Look at it again; someone may have decided already.',
  },
});

export type ArrivalErrorCode = keyof typeof arrivalErrors;
