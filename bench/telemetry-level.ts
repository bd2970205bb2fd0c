/**
 * The telemetry level: the product that exports its spans to a collector against the same product that exports none, each a process of its
 * own: one big file, and many small ones, of which each has a span for its arrival, its job, its chunk, its batch and its attempt.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BenchContext } from './bench-context.ts';
import { type BenchRun, compare, type Measured } from './comparison.ts';
import { paymentsCsv } from './payments-files.ts';
import { type ServedProduct, serveProduct } from './served-product.ts';
import { createFileMaker, dropFiles, recordsPerFile } from './small-files.ts';

const bar = { kind: 'at-least', value: 0.97 } as const;

export async function runTelemetryLevel(context: BenchContext): Promise<BenchRun[]> {
  const rows = context.isQuick ? 20_000 : 1_000_000;
  const files = context.isQuick ? 30 : 2_000;
  const collector = await startCollector();
  const flows = ['payments.yaml', 'small-files-rolled.yaml'];
  const products: ServedProduct[] = [];
  const runs: BenchRun[] = [];
  try {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    const on = await serveProduct(context, { name: 'telemetry-on', flows, env });
    products.push(on);
    const off = await serveProduct(context, { name: 'telemetry-off', flows });
    products.push(off);
    const maker = createFileMaker(context);
    let round = 0;
    const ingest = async (product: ServedProduct): Promise<Measured> => ({
      seconds: await product.ingest(paymentsCsv(context, rows), 'payments-csv'),
      rssBytes: product.peakRssBytes(),
    });
    const drop = async (product: ServedProduct): Promise<Measured> => ({
      seconds: await dropFiles(product, maker.make(`telemetry-${++round}`, files), 'rolled'),
      rssBytes: product.peakRssBytes(),
    });
    for (const [what, units, work] of [
      [`csv, ${rows} rows`, rows, ingest],
      [`${files} files of ${recordsPerFile} records`, files, drop],
    ] as const) {
      context.progress(`telemetry, ${what}`);
      for (const product of products) await work(product);
      runs.push(
        await compare({
          level: 'telemetry',
          case: `spans exported, ${what}`,
          against: 'no spans exported',
          units,
          pairs: context.isQuick ? 1 : 9,
          bar,
          ours: () => work(on),
          theirs: () => work(off),
        }),
      );
    }
  } finally {
    for (const product of products) await product.stop();
    collector.server.close();
  }
  // After the end of the product, which exports what it still has: a quick run is over before the first export is due.
  if (collector.requests() === 0) throw new Error('no spans were exported');
  return runs;
}

async function startCollector(): Promise<{ server: Server; url: string; requests(): number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests };
}
