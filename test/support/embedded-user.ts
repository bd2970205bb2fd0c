/**
 * A process that uses the embedded PostgreSQL of a data folder (first argument) until it is told to stop on stdin. It prints
 * one JSON line when ready. A second argument chooses the launch mode.
 */
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import type { LaunchMode } from '../../src/platform/postgres/embedded-binaries.ts';
import { startEmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';

const [dataDir, launchMode] = process.argv.slice(2);
const server = await startEmbeddedPostgres({ dataDir: dataDir!, ports: systemPorts, launchMode: launchMode as LaunchMode | undefined });
process.stdout.write(`${JSON.stringify({ port: server.port, isAdopted: server.isAdopted, url: server.adminUrl('postgres') })}\n`);
process.stdin.once('data', async () => {
  await server.stop();
  process.exit(0);
});
