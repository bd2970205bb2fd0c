/**
 * Programs of Debian that tests start for themselves: those of the machine, else those that `npm test` unpacked into the
 * project for a user who may not install any. `scripts/bring-programs.ts` brings them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where each program is under a root, and the package that has it. */
export const debianPrograms = {
  sftp: { package: 'openssh-client', path: 'usr/bin/sftp' },
  sshd: { package: 'openssh-server', path: 'usr/sbin/sshd' },
  rabbitmq: { package: 'rabbitmq-server', path: 'usr/lib/rabbitmq/bin/rabbitmq-server' },
  gpg: { package: 'gpg', with: ['gpg-agent'], path: 'usr/bin/gpg' },
  /** With librdkafka, whose mock cluster the tests run in Python. */
  kcat: { package: 'kcat', path: 'usr/bin/kcat' },
  python3: { package: 'python3', path: 'usr/bin/python3' },
  zip: { package: 'zip', path: 'usr/bin/zip' },
  mariadb: { package: 'mariadb-server', path: 'usr/sbin/mariadbd' },
  moto: { package: 'python3-moto', with: ['python3-flask', 'python3-flask-cors'], path: 'usr/bin/moto_server' },
  /** A peer of the bench. */
  miller: { package: 'miller', path: 'usr/bin/mlr' },
} as const satisfies Record<string, DebianProgram>;

export interface DebianProgram {
  readonly package: string;
  /** Packages that this one needs for what tests do with it, and does not name as needed. */
  readonly with?: readonly string[];
  readonly path: string;
}

export type DebianProgramName = keyof typeof debianPrograms;

export interface FoundProgram {
  readonly path: string;
  /** `/`, or the folder its packages were unpacked to. */
  readonly root: string;
  /** What a program that is not where it was built for needs to find its libraries and interpreters. */
  readonly env: Readonly<Record<string, string>>;
}

/** One folder per program; git knows nothing of it. */
export const unpackedFolder = join(import.meta.dirname, '../../.headgate/programs');

export function findProgram(name: DebianProgramName): FoundProgram | null {
  return findUnder('/', debianPrograms[name]) ?? findUnder(join(unpackedFolder, name), debianPrograms[name]);
}

export function findUnder(root: string, program: DebianProgram): FoundProgram | null {
  const path = join(root, program.path);
  if (!existsSync(path)) return null;
  return { path, root, env: root === '/' ? {} : unpackedEnvironment(root) };
}

function unpackedEnvironment(root: string): Record<string, string> {
  const libraries = join(root, 'usr/lib');
  const perMachine = existsSync(libraries) ? readdirSync(libraries).filter((name) => name.includes('-linux-')) : [];
  return {
    PYTHONPATH: join(root, 'usr/lib/python3/dist-packages'),
    LD_LIBRARY_PATH: perMachine.map((name) => join(libraries, name)).join(':'),
    PATH: [join(root, 'usr/lib/erlang/bin'), join(root, 'usr/bin'), join(root, 'usr/sbin'), process.env['PATH'] ?? ''].join(':'),
  };
}
