/** Why an upload over the SFTP server was not taken. The code and the message are what the client is answered with. */
import { defineErrors } from '../../../platform/base/errors.ts';

export const sftpServerErrors = defineErrors({
  E_UPLOAD_ORDER: {
    meaning:
      'An upload over SFTP wrote bytes again that it had written before, or wrote more than 4 MiB ahead of those that were missing; nothing of it was kept.',
    actor: 'sender',
    next: 'Use a client that writes a file from its start to its end; pieces of one file that are under way at once are put in order within 4 MiB.',
  },
  E_RESUME: {
    meaning: 'An upload over SFTP lacks bytes from its start or its middle; nothing of it was kept.',
    actor: 'sender',
    next: 'Send the whole file again: of an upload that ended early nothing is kept, so that there is nothing to resume.',
  },
  E_SFTP_RENAME: {
    meaning:
      'A file may be renamed once, when it is complete and closed, from its temporary name to the same name without the suffix; what was taken keeps its name.',
    actor: 'sender',
    next: 'Upload `<name><suffix>`, close it, and rename it to `<name>` in the same folder; or upload under the final name.',
  },
  E_SFTP_TEMPORARY: {
    meaning: 'The folder takes files only that are uploaded under a temporary name and renamed when they are complete.',
    actor: 'sender',
    next: 'Upload `<name>.filepart`, or with the suffix that was agreed, and rename it to `<name>`.',
  },
  E_SFTP_MANIFEST: {
    meaning: 'The folder takes a file only after its manifest, which has not come in this session, can not be read, or names another file.',
    actor: 'sender',
    next: 'Upload the line that `sha256sum <name>` prints as `<name>.sha256`, or with the suffix that was agreed, and then the file, in one session.',
  },
  E_SFTP_FOLDER: {
    meaning: 'Several flows take the files of this folder of the user; nothing can be taken before only one does.',
    actor: 'author',
    next: 'Give the sources different values of `folder`, or different connections.',
  },
  E_SFTP_QUOTA: {
    meaning:
      'The user of the SFTP server has brought as many files or bytes within a minute, or has as many uploads under way, as its connection allows.',
    actor: 'sender',
    next: 'Send the file again in a minute, with fewer at once; or have `filesPerMinute`, `bytesPerMinute` or `maxUploads` of the connection raised.',
    retryable: true,
  },
  E_SFTP_BUSY: {
    meaning: 'The process takes as many uploads over SFTP as it has room for; nothing of this one was kept.',
    actor: 'sender',
    next: 'Send the file again later.',
    retryable: true,
  },
  E_SFTP_DRAINING: {
    meaning: 'The server is about to stop and begins no more uploads.',
    actor: 'sender',
    next: 'Connect again and send the file.',
    retryable: true,
  },
  E_SFTP_HOST_KEY: {
    meaning:
      'The host key of the SFTP server is no private key of type Ed25519, ECDSA or RSA without a passphrase, in the format of OpenSSH or PEM.',
    actor: 'operator',
    next: 'Make one with `ssh-keygen -t ed25519 -N "" -f FILE` and let HEADGATE_SFTP_HOST_KEY refer to it.',
  },
});
