/** The lines of a batch of any size, a piece of its body at a time: those of targets that hold files may be of a gigabyte. */
import type { SealedReader } from '../../../platform/storage/object-store.ts';
import type { BodyPlan } from '../../engine/plan.ts';
import { lineEnd } from '../../engine/segment-lines.ts';
import type { BatchSpan } from '../batch.ts';
import { bodyPieces } from './body-hash.ts';

/** Each record with its line end, in order; a line is valid until the next one is asked for. */
export function* bodyLines(spans: readonly BatchSpan[], body: BodyPlan, open: (segmentId: string) => SealedReader): Generator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for (const piece of bodyPieces(spans, open, { isReused: true })) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = lineEnd(body, bytes, start); end > 0; end = lineEnd(body, bytes, start)) {
      yield bytes.subarray(start, end);
      start = end;
    }
    rest = Uint8Array.prototype.slice.call(bytes, start);
  }
  if (rest.length > 0) throw new Error('a body ends inside a record');
}
