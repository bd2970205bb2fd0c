/**
 * The small-files level: files of 10 records that appear in the folder of a source all at once, until all their jobs are
 * closed, against a loop that does the same work one file at a time (bench/peers/same-work-loop.ts) and a lean one that does
 * less (bench/peers/per-file-loop.ts): once with a file out for each file in, as the loops make them, and once with
 * `rollUp`, where small jobs share the files that are delivered. Then more files, with the jobs of the first ones stored, to see that what is stored costs nothing. In every case the delivered
 * lines must be those of the loops.
 */
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import { startEmbeddedPostgres } from '../src/platform/postgres/embedded-postgres.ts';
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compare, type Measured } from './comparison.ts';
import { serveProduct } from './served-product.ts';
import { createFileMaker, dropFiles, recordsPerFile } from './small-files.ts';
import { timedRun } from './timed-run.ts';

interface Loop {
  readonly script: string;
  readonly against: string;
  readonly bar: number;
  readonly pairs: number;
}

const loops: readonly Loop[] = [
  { script: 'same-work-loop.ts', against: 'a loop of the same work with fsyncs per file', bar: 4, pairs: 9 },
  { script: 'per-file-loop.ts', against: 'a lean loop that keeps less', bar: 1, pairs: 3 },
];

export async function runSmallFilesLevel(context: BenchContext): Promise<BenchRun[]> {
  const files = context.isQuick ? 40 : 10_000;
  const peerFiles = context.isQuick ? 40 : 2_000;
  const maker = createFileMaker(context);
  const peer = await startPeer(context);
  const product = await serveProduct(context, { name: 'small-files', flows: ['small-files.yaml', 'small-files-rolled.yaml'] });
  const ours = async (name: string, count: number, inFolder = 'drop'): Promise<Measured> => {
    const seconds = await dropFiles(product, maker.make(name, count), inFolder);
    return { seconds, rssBytes: product.peakRssBytes() };
  };
  try {
    context.progress(`small files, ${files} files of ${recordsPerFile} records`);
    const first = maker.make('first', Math.min(files, 200));
    await peer.run('per-file-loop.ts', first, 'first');
    const copyOf = (name: string) => {
      const folder = join(context.folder, 'small', name);
      cpSync(first, folder, { recursive: true });
      return folder;
    };
    await peer.run('same-work-loop.ts', copyOf('first-same-work'), 'first-same-work');
    assertSameLines(peer.outputOf('first-same-work'), peer.outputOf('first'));
    await dropFiles(product, copyOf('first-apart'), 'drop');
    assertSameLines(join(product.outbox, 'small'), peer.outputOf('first'));
    await dropFiles(product, first, 'rolled');
    assertSameLines(join(product.outbox, 'rolled'), peer.outputOf('first'));
    const empty = await ours('empty', Math.min(files, 1_000));
    let round = 0;
    const againstLoop = (what: string, inFolder: string, loop: Loop) =>
      compare({
        level: 'small-files',
        case: `${files} files of ${recordsPerFile} records, ${what}`,
        against: loop.against,
        units: files,
        pairs: context.isQuick ? 1 : loop.pairs,
        bar: { kind: 'at-least', value: loop.bar },
        ours: () => ours(`many-${++round}`, files, inFolder),
        theirs: async () => {
          const measured = await peer.run(loop.script, maker.make(`loop-${round}`, peerFiles), `loop-${round}`);
          return { ...measured, seconds: (measured.seconds / peerFiles) * files };
        },
      });
    const runs: BenchRun[] = [];
    for (const loop of loops) {
      runs.push(await againstLoop('a file out for each', 'drop', loop));
      runs.push(await againstLoop('rolled up', 'rolled', loop));
    }
    if (context.isQuick) return runs;
    let stored = 0;
    const growth = await compare({
      level: 'small-files',
      case: '1,000 small files with 60,000 jobs stored',
      against: 'with 200 jobs stored',
      units: 1_000,
      pairs: 3,
      bar: { kind: 'at-most', value: 1.1 },
      ours: () => ours(`stored-${++stored}`, 1_000),
      theirs: async () => empty,
    });
    return [...runs, growth];
  } finally {
    await product.stop();
    await peer.stop();
  }
}

/** The loops, with a PostgreSQL of its own that is as durable as the product's. */
async function startPeer(context: BenchContext) {
  const postgres = await startEmbeddedPostgres({ dataDir: join(context.folder, 'loop-database'), ports: systemPorts });
  const outputOf = (name: string) => join(context.folder, 'loop', name);
  return {
    outputOf,
    async run(loop: string, folder: string, name: string): Promise<Measured> {
      const script = join(context.root, 'bench/peers', loop);
      const flow = join(context.root, 'bench/flows/small-files.yaml');
      const { stdout, rssBytes } = await timedRun([context.node, script, flow, folder, outputOf(name)], {
        env: { LOOP_DATABASE_URL: postgres.adminUrl('postgres') },
      });
      return { seconds: JSON.parse(stdout).seconds, rssBytes };
    },
    stop: () => postgres.stop(),
  };
}

function assertSameLines(ours: string, theirs: string): void {
  const [mine, other] = [ours, theirs].map((folder) => hashOfLines(folder));
  if (mine !== other) throw new Error(`the lines in ${ours} and ${theirs} differ`);
}

function hashOfLines(folder: string): string {
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}
