/** A service in a process of its own that keeps the lines it is sent, gives them back sorted, and forgets them when told. */
import { createServer } from 'node:http';

let lines: string[] = [];

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    if (request.method === 'POST') lines.push(...Buffer.concat(pieces).toString().split('\n').filter(Boolean));
    if (request.method === 'DELETE') lines = [];
    response.end(request.method === 'GET' ? JSON.stringify(lines.toSorted()) : '');
  });
});
// What was idle while the other side ran is not closed under a request.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening on ${(server.address() as { port: number }).port}\n`));

// A bench that is interrupted leaves nothing behind.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit();
}, 1_000);
