/**
 * Ports that can die: every call of the database, the store, the engine threads and the targets is numbered by its name, and
 * at a chosen one the process that holds them ends, as SIGKILL ends it: before the call has happened, or after it and before
 * anybody learns so. From then on no call happens and none that was waited for returns.
 */
import type { EngineThreads } from '../../src/control/jobs/groups/thread-pool.ts';
import type { Connector, Target } from '../../src/pipeline/connectors/connector.ts';
import type { Ports } from '../../src/platform/base/ports.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { type Db, nameOfStatement, type Queryable, type Tx } from '../../src/platform/postgres/database.ts';
import type { SealedStore, SealedWriter } from '../../src/platform/storage/object-store.ts';

export interface Death {
  readonly call: string;
  /** The how-manieth call of this name, from 1. */
  readonly occurrence: number;
  readonly when: 'before' | 'after';
}

export interface Mortality {
  /** How often each call was made. */
  readonly calls: ReadonlyMap<string, number>;
  /**
   * Those of them that were only made within transactions. They change nothing that outlives the process until COMMIT: to end
   * after one is to end before the next call of its transaction.
   */
  readonly undoneCalls: ReadonlySet<string>;
  readonly isDead: boolean;
  /** Resolves at death. */
  readonly died: Promise<void>;
  db(db: Db): Db;
  store(store: SealedStore): SealedStore;
  threads(threads: EngineThreads): EngineThreads;
  connector(connector: Connector): Connector;
  readonly ports: Ports;
}

/** Thrown by calls that are not promises; whoever catches it can do nothing any more. */
class Dead extends Error {}

const never = new Promise<never>(() => {});
/** Waits pass this much faster, so that polls and retries cost no time. */
const haste = 6;

/** Without a death everything is only counted. */
export function createMortality(death?: Death): Mortality {
  const calls = new Map<string, number>();
  const outside = new Set<string>();
  let isDead = false;
  let announce: () => void;
  const died = new Promise<void>((resolve) => (announce = resolve));

  function die(): void {
    isDead = true;
    announce();
  }

  /** Counts the call; true when it must not happen. */
  function begins(call: string): 'alive' | 'dead' | 'last' {
    if (isDead) return 'dead';
    const occurrence = (calls.get(call) ?? 0) + 1;
    calls.set(call, occurrence);
    if (death?.call !== call || death.occurrence !== occurrence) return 'alive';
    if (death.when === 'after') return 'last';
    die();
    return 'dead';
  }

  async function waited<T>(call: string, work: () => Promise<T>, isUndone = false): Promise<T> {
    if (!isUndone) outside.add(call);
    const state = begins(call);
    if (state === 'dead') return never;
    const end = () => {
      if (state === 'last') die();
      return isDead;
    };
    try {
      const value = await work();
      return end() ? never : value;
    } catch (error) {
      if (end()) return never;
      throw error;
    }
  }

  function direct<T>(call: string, work: () => T): T {
    outside.add(call);
    const state = begins(call);
    if (state === 'dead') throw new Dead();
    const value = work();
    if (state === 'last') {
      die();
      throw new Dead();
    }
    return value;
  }

  const queryOf =
    (queryable: Queryable): Queryable['query'] =>
    (sql, params) =>
      waited(nameOfQuery(sql, params), () => queryable.query(sql, params));

  return {
    calls,
    get undoneCalls() {
      return new Set([...calls.keys()].filter((call) => !outside.has(call)));
    },
    died,
    get isDead() {
      return isDead;
    },
    db(db) {
      return {
        query: queryOf(db),
        transaction(fn, options) {
          const kind = options?.readOnly ? 'reading' : 'writing';
          let firstStatement = 'nothing';
          return waited(`transaction ${kind}`, () =>
            db.transaction(async (tx) => {
              const mortal: Tx = {
                xid: tx.xid,
                query(sql, params) {
                  if (firstStatement === 'nothing') firstStatement = nameOfStatement(sql);
                  return waited(nameOfQuery(sql, params), () => tx.query(sql, params), true);
                },
              };
              const value = await fn(mortal);
              // A commit that was never sent: the connection dies with the process, and the server rolls back.
              await waited(`${kind} commit after ${firstStatement}`, async () => {});
              return value;
            }, options),
          );
        },
        close: () => db.close(),
      };
    },
    store(store) {
      return {
        create: (identity) => mortalWriter(store.create(identity), `store ${identity.kind}`),
        createPack: (pack, members) => direct('store pack', () => store.createPack(pack, members)),
        open: (tenantId, object) => direct('open object', () => store.open(tenantId, object)),
        openReads() {
          const reads = store.openReads();
          return { open: (tenantId, object) => direct('open object', () => reads.open(tenantId, object)), close: () => reads.close() };
        },
        deriveKey: (tenantId, object, purpose) => store.deriveKey(tenantId, object, purpose),
        exists: (name) => direct('look for object', () => store.exists(name)),
        remove: (name) => direct('remove object', () => store.remove(name)),
      };
    },
    threads(threads) {
      return {
        size: threads.size,
        runGroup: (run) => waited('run group', () => threads.runGroup(run)),
        checkFile: (run) => waited('check file', () => threads.checkFile(run)),
        hashBody: (body) => waited('hash body', () => threads.hashBody(body)),
        stop: async () => {},
      };
    },
    connector(connector) {
      return { ...connector, open: (options) => mortalTarget(connector.open(options), options.target.id) };
    },
    ports: {
      ...systemPorts,
      sleep: {
        async sleep(ms, signal) {
          await systemPorts.sleep.sleep(Math.ceil(ms / haste), signal);
          if (isDead) await never;
        },
      },
    },
  };

  function mortalWriter(writer: SealedWriter, name: string): SealedWriter {
    return {
      write: (bytes) => direct(`${name} write`, () => writer.write(bytes)),
      hashSoFar: () => writer.hashSoFar(),
      commit: () => direct(`${name} commit`, () => writer.commit()),
      abort: () => direct(`${name} abort`, () => writer.abort()),
    };
  }

  function mortalTarget(target: Target, id: string): Target {
    const { resolve } = target;
    return {
      unknownResolution: target.unknownResolution,
      deliver: (batch, signal) => waited(`deliver to ${id}`, () => target.deliver(batch, signal)),
      ...(resolve && { resolve: (batch, signal) => waited(`ask ${id}`, () => resolve(batch, signal)) }),
      probe: (signal) => target.probe(signal),
      close: () => target.close(),
    };
  }
}

/** Claims of different work are different calls. */
function nameOfQuery(sql: string, params: readonly unknown[] | undefined): string {
  const name = nameOfStatement(sql);
  return name === 'claim work' ? `claim ${String(params?.[0])}` : name;
}
