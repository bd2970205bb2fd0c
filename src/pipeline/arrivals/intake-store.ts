/**
 * Where received bytes are sealed, seen from the event loop: every call is a promise, so that the work may happen in a
 * thread (intake-thread.ts). The direct one does it here, in pieces; it serves tests, simulations and small files.
 */
import type { Ids } from '../../platform/base/ports.ts';
import type { PackMember, SealedObject, SealedStore } from '../../platform/storage/object-store.ts';
import type { PackPlan, Plan } from '../engine/plan.ts';
import type { Format, Splitter } from '../formats/format.ts';
import type { Pack, Packs } from '../formats/pack.ts';
import { createPackSplitter } from '../formats/pack-splitter.ts';
import { createFileReceiver, type FileReceiver, type ReceivedFile, type ReceiverOptions } from './file-receiver.ts';

/** What describes one file's way in; plain data, so that it can be given to a thread. */
export type ReceiveRequest = Omit<ReceiverOptions, 'store' | 'createSplitter' | 'createId' | 'isConverted'> & {
  readonly plan: Pick<Plan, 'format' | 'records'>;
  readonly chunkBytes: number;
  readonly recordBytesMax: number;
  /** Of a pack: duplicates are told by its records. */
  readonly hashesRecords?: boolean;
};

export interface IncomingFile {
  /** In order; at most 256 KiB each. The bytes must not be changed afterwards. */
  push(bytes: Uint8Array): Promise<void>;
  end(): Promise<ReceivedFile>;
  /** Leaves nothing that is named. */
  abort(): Promise<void>;
}

export interface IntakeStore {
  open(request: ReceiveRequest): IncomingFile;
  /** One durable stored object for all of them, read back. */
  pack(tenantId: string, packId: string, members: readonly PackMember[]): Promise<SealedObject[]>;
  /** The bytes of a stored file, in pieces. */
  read(tenantId: string, object: SealedObject): AsyncIterable<Uint8Array>;
  isStored(name: string): Promise<boolean>;
  /** Of an object that no row names. */
  remove(name: string): Promise<void>;
}

export interface IntakeStoreParts {
  readonly store: SealedStore;
  readonly formats: readonly Format[];
  /** Absent where no flow's format is one. */
  readonly packs?: Packs;
  /** Of what is sealed. */
  readonly ids: Ids;
}

export function createDirectIntakeStore(parts: IntakeStoreParts): IntakeStore {
  const { store, ids } = parts;
  return {
    open(request) {
      const receiver = (pack: Pack | null) =>
        createFileReceiver({
          ...request,
          store,
          isConverted: pack !== null,
          createSplitter: (keep) => splitterFor(parts.formats, request, { pack, keep }),
          createId: () => ids.next(),
        });
      const name = packOf(request)?.name;
      if (name === undefined) return asIncoming(receiver(null));
      return whenLoaded(parts.packs![name]().then(receiver));
    },
    pack: async (tenantId, packId, members) => store.createPack({ tenantId, objectId: packId, kind: 'pack' }, members),
    read: (tenantId, object) => readObject(store, tenantId, object),
    isStored: async (name) => store.exists(name),
    remove: async (name) => store.remove(name),
  };
}

function asIncoming(receiver: FileReceiver): IncomingFile {
  return { push: (bytes) => receiver.push(bytes), end: () => receiver.end(), abort: async () => receiver.abort() };
}

function whenLoaded(receiver: Promise<FileReceiver>): IncomingFile {
  // Whoever pushes or ends is told of a failure.
  receiver.catch(() => {});
  return {
    push: async (bytes) => (await receiver).push(bytes),
    end: async () => (await receiver).end(),
    abort: async () => (await receiver.catch(() => null))?.abort(),
  };
}

function packOf({ plan: { format } }: Pick<ReceiveRequest, 'plan'>): PackPlan | undefined {
  return format.type === 'json-lines' ? format.pack : undefined;
}

/** The format of the flow's own choice; one that is not in the catalogue is a programmer's error. */
function splitterFor(
  formats: readonly Format[],
  request: Pick<ReceiveRequest, 'plan' | 'chunkBytes' | 'recordBytesMax' | 'hashesRecords'>,
  { pack, keep }: { readonly pack: Pack | null; readonly keep: (bytes: Uint8Array) => void },
): Splitter {
  const { plan, chunkBytes, recordBytesMax, hashesRecords = false } = request;
  const format = formats.find((each) => each.name === plan.format.type);
  if (!format) throw new Error(`no format ${plan.format.type} in the catalogue`);
  const lines = format.createSplitter(plan.format, plan.records, { chunkBytes, maxRecordBytes: recordBytesMax });
  if (pack !== null) return createPackSplitter({ pack, settings: packOf(request)!.settings, lines, keep, hashesRecords });
  return {
    push(bytes) {
      keep(bytes);
      lines.push(bytes);
    },
    end: () => lines.end(),
  };
}

const readBytes = 64 * 1024;

export async function* readObject(store: SealedStore, tenantId: string, object: SealedObject): AsyncGenerator<Uint8Array> {
  const reader = store.open(tenantId, object);
  try {
    for (let position = 0; position < reader.size; ) {
      const piece = Buffer.allocUnsafe(Math.min(readBytes, reader.size - position));
      position += reader.read(piece, 0, piece.length, position);
      yield piece;
    }
  } finally {
    reader.close();
  }
}
