/** Prints what a list of the API holds, up to a limit, and says on stderr when there is more than that, or more to come. */
import { createApiClient } from './api-client.ts';
import { type CommandLine, countOption } from './command.ts';
import { listedFields } from './list-fields.ts';
import { type OutputShape, printRows } from './output.ts';

export interface ListShape extends OutputShape {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Where `--limit` does not say. */
  readonly itemsMax?: number;
  /** How to see more. */
  readonly hint?: string;
}

/** What was printed. */
export async function printList<Item extends Readonly<Record<string, unknown>>>(line: CommandLine, shape: ListShape): Promise<Item[]> {
  const { path, query = {}, itemsMax = 50, hint = '--limit N shows more' } = shape;
  const { items, isCut, isSoFar } = await createApiClient(line).list<Item>(path, query, countOption(line, 'limit', itemsMax));
  await printRows(line, items, { ...shape, fields: listedFields(path) });
  if (isCut) process.stderr.write(`stopped after ${items.length}, there may be more: ${hint}\n`);
  else if (isSoFar) process.stderr.write('the file is still being read, and this is as far as it has come: ask again later\n');
  return items;
}
