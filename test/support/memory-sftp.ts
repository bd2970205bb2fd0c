/**
 * An SFTP server in this process whose files are in memory, which does what a real one does not do on demand: it asks for a
 * password, answers with fewer bytes than asked for, falls silent, drops connections in the middle of a read, damages what is
 * written, lists names that are none or never ends to. One folder, `/in`; no extensions.
 */
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { makeEd25519Key } from '../../src/platform/sftp/new-keys.ts';

export interface MemorySftp {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly username: 'acme';
  readonly hostKey: { readonly publicKey: string; readonly privateKey: string };
  /** By name; to be changed by tests. */
  readonly files: Map<string, Buffer>;
  readonly behaviour: {
    password: string;
    readBytesMax: number;
    /** Reads after which the connection is dropped, once for each number. */
    dropsAfterReads: number[];
    isSilent: boolean;
    /** What is written is kept with its first byte changed. */
    damagesWrites: boolean;
    /** Writes fail, as they do where there is no room: the protocol has no code for that. */
    isFull: boolean;
    /** Says that it renamed a file, and does not. */
    renamesNothing: boolean;
    /** Beside the files. */
    listed: string[];
    /** Names of one more answer to a listing, which has no end then. */
    listsOn: (() => string[]) | null;
    /** Lists names without sizes and times. */
    listsNamesOnly: boolean;
    /** Called when a request to read, or to look at one file, has come. */
    onRead: () => void;
    /** Called before a file gets another name, and after. */
    onRename: (moment: 'before' | 'after') => void;
    onLook: () => void;
    /** Looks at a file are refused, for whatever reason. */
    refusesLooks: boolean;
  };
  /** Places in files that were read, in order. */
  readonly offsets: number[];
  /** Bytes of each write. */
  readonly written: number[];
  /** Connections that were let in. */
  readonly entered: number;
  close(): Promise<void>;
}

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;
const attributes = (size: number, mode = 0o100644) => ({ mode, uid: 0, gid: 0, size, atime: 1, mtime: 1 });

/** The types know no entry without them, the wire does. */
const noAttributes = {} as ReturnType<typeof attributes>;

export async function startMemorySftp(): Promise<MemorySftp> {
  const keys = makeEd25519Key();
  const files = new Map<string, Buffer>();
  const behaviour: MemorySftp['behaviour'] = {
    password: 'right',
    readBytesMax: 2 ** 20,
    dropsAfterReads: [],
    isSilent: false,
    damagesWrites: false,
    isFull: false,
    renamesNothing: false,
    listed: [],
    listsOn: null,
    listsNamesOnly: false,
    onRead: () => {},
    onRename: () => {},
    onLook: () => {},
    refusesLooks: false,
  };
  const offsets: number[] = [];
  const written: number[] = [];
  let entered = 0;
  const open = new Set<{ end(): void }>();
  const server = new ssh2.Server({ hostKeys: [keys.privateKey] }, (client) => {
    open.add(client);
    let reads = 0;
    let isDropped = false;
    client.on('error', () => {});
    client.on('close', () => open.delete(client));
    client.on('authentication', (context) => {
      if (context.method === 'password' && context.password === behaviour.password) context.accept();
      else context.reject(['password']);
    });
    client.on('ready', () => {
      entered += 1;
      client.on('session', (accept) => {
        accept().on('sftp', (acceptSftp) => {
          const sftp = acceptSftp();
          const handles: (string | { isListed: boolean })[] = [];
          const handleOf = (what: string | { isListed: boolean }) => Buffer.from([handles.push(what) - 1]);
          const nameOf = (path: string) => path.replace(/^\/in\//, '');
          const answer = (work: () => void) => {
            if (!behaviour.isSilent && !isDropped) work();
          };
          const statOf = (id: number, path: string) => {
            const content = files.get(nameOf(path));
            if (content) sftp.attrs(id, attributes(content.length));
            else if (/^\/in\/\.headgate-\w+$/.test(path)) sftp.attrs(id, attributes(0, 0o040700));
            else sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
          };
          sftp.on('REALPATH', (id, path) =>
            answer(() => sftp.name(id, [{ filename: path.replace(/\/\.$/, ''), longname: '', attrs: attributes(0) }])),
          );
          sftp.on('LSTAT', (id, path) =>
            answer(() => {
              behaviour.onLook();
              if (behaviour.refusesLooks) sftp.status(id, STATUS_CODE.FAILURE);
              else statOf(id, path);
            }),
          );
          sftp.on('OPENDIR', (id) => answer(() => void sftp.handle(id, handleOf({ isListed: false }))));
          sftp.on('READDIR', (id, handle) =>
            answer(() => {
              const folder = handles[handle[0]!] as { isListed: boolean };
              if (behaviour.listsOn !== null)
                return void sftp.name(
                  id,
                  behaviour.listsOn().map((filename) => ({ filename, longname: filename, attrs: attributes(1) })),
                );
              if (folder.isListed) return void sftp.status(id, STATUS_CODE.EOF);
              folder.isListed = true;
              const here = [...files].filter(([name]) => !name.includes('/')).map(([filename, { length }]) => ({ filename, length }));
              const odd = behaviour.listed.map((filename) => ({ filename, length: 1 }));
              sftp.name(
                id,
                [...here, ...odd].map(({ filename, length }) => ({
                  filename,
                  longname: filename,
                  attrs: behaviour.listsNamesOnly ? noAttributes : attributes(length),
                })),
              );
            }),
          );
          sftp.on('OPEN', (id, path, flags) =>
            answer(() => {
              if ((flags & OPEN_MODE.CREAT) !== 0) files.set(nameOf(path), Buffer.alloc(0));
              sftp.handle(id, handleOf(nameOf(path)));
            }),
          );
          sftp.on('WRITE', (id, handle, offset, data) =>
            answer(() => {
              if (behaviour.isFull) return void sftp.status(id, STATUS_CODE.FAILURE);
              const name = handles[handle[0]!] as string;
              const content = Buffer.concat([files.get(name)!.subarray(0, offset), data]);
              if (behaviour.damagesWrites) content[0]! ^= 1;
              files.set(name, content);
              written.push(data.length);
              sftp.status(id, STATUS_CODE.OK);
            }),
          );
          sftp.on('REMOVE', (id, path) =>
            answer(() => void sftp.status(id, files.delete(nameOf(path)) ? STATUS_CODE.OK : STATUS_CODE.NO_SUCH_FILE)),
          );
          sftp.on('FSTAT', (id, handle) => answer(() => statOf(id, `/in/${handles[handle[0]!]}`)));
          sftp.on('READ', (id, handle, offset, length) =>
            answer(() => {
              offsets.push(offset);
              behaviour.onRead();
              if (behaviour.dropsAfterReads.length > 0 && ++reads > behaviour.dropsAfterReads[0]!) {
                behaviour.dropsAfterReads.shift();
                isDropped = true;
                return client.end();
              }
              const content = files.get(handles[handle[0]!] as string)!;
              const piece = content.subarray(offset, offset + Math.min(length, behaviour.readBytesMax));
              if (piece.length === 0) sftp.status(id, STATUS_CODE.EOF);
              else sftp.data(id, piece);
            }),
          );
          sftp.on('RENAME', (id, from, to) =>
            answer(() => {
              behaviour.onRename('before');
              if (behaviour.renamesNothing) return void sftp.status(id, STATUS_CODE.OK);
              const content = files.get(nameOf(from))!;
              files.delete(nameOf(from));
              files.set(nameOf(to), content);
              behaviour.onRename('after');
              sftp.status(id, STATUS_CODE.OK);
            }),
          );
          sftp.on('CLOSE', (id) => answer(() => void sftp.status(id, STATUS_CODE.OK)));
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    username: 'acme',
    hostKey: { publicKey: keys.publicKey, privateKey: keys.privateKey },
    files,
    behaviour,
    offsets,
    written,
    get entered() {
      return entered;
    },
    async close() {
      for (const client of open) client.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
