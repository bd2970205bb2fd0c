/** What the SFTP server needs to know of a user: a Connection of type sftp-server, and the sources that take its files. */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';

export interface SftpUserPlan {
  /** Of the connection; with the tenant's, `<tenant>.<name>`, what the user logs in as. */
  readonly name: string;
  readonly publicKeys: readonly string[];
  readonly limits: SftpUserLimits;
  /** By name of the folder. */
  readonly folders: readonly SftpFolderPlan[];
}

export interface SftpUserLimits {
  readonly sessionsMax: number;
  /** Under way at once. */
  readonly uploadsMax: number;
  readonly filesPerMinute: number;
  readonly bytesPerMinute: number;
}

export interface SftpFolderPlan {
  readonly folder: string;
  readonly flowId: string;
  readonly flowName: string;
  readonly sourceId: string;
  /** When a file is complete: when it is closed, when it is renamed after that, or when it is closed and as its manifest says. */
  readonly complete: 'close' | 'rename' | 'manifest';
  /** Suffix of names under which files are written before they are renamed. */
  readonly temporary: string;
  /** Suffix of the manifest's name. */
  readonly manifest: string;
  /** Another source has the folder too. */
  readonly isShared: boolean;
}

export interface SftpUserPlans {
  /** Undefined: there is no such user. A disabled flow keeps its folder, and takes no files. */
  user(tx: TenantTx, name: string): Promise<SftpUserPlan | undefined>;
}
