/** `headgate error CODE`: what a code means, who can act on it, and what they do next, without a server. */

import { type CatalogueEntry, HeadgateError } from '../platform/base/errors.ts';
import { nearestName } from '../platform/base/nearest-name.ts';
import { type Command, outputOptions, requiredPositional } from './command.ts';
import { printOne } from './output.ts';

/** `loadErrors`: all codes of the product. */
export function createErrorCommand(loadErrors: () => Promise<readonly CatalogueEntry[]>): Command {
  return {
    usage: 'headgate error CODE [--json]',
    summary: 'Says what an error code means, who can act on it, what they do next, and whether it is tried again by itself.',
    options: outputOptions,
    async run(line) {
      const wanted = requiredPositional(line, 0, 'CODE', this.usage).toUpperCase();
      const entries = await loadErrors();
      const entry = entries.find(({ code }) => code === wanted || code === `E_${wanted}`);
      if (entry === undefined) throw unknownCode(wanted, entries);
      const { code, meaning, actor, next, retryable = false } = entry;
      await printOne(line, { code, meaning, actor, next, retryable });
      return 0;
    },
  };
}

function unknownCode(wanted: string, entries: readonly CatalogueEntry[]): HeadgateError {
  const codes = entries.map(({ code }) => code);
  const nearest = nearestName(wanted, codes) ?? codes.find((code) => code.includes(wanted)) ?? null;
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return new HeadgateError('E_NOT_FOUND', `the product has no code ${JSON.stringify(wanted)}${hint}`, {
    next: 'Codes of the product begin with E_ and are all in docs/reference/errors.md; any other is one of a rule of the flow, or one that a target answered.',
  });
}
