/** How findings about documents reach a person: `file:line:column: error CODE: message`, and once per code what to do next. */
import type { Diagnostic } from '../control/flows/documents/diagnostics.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { printable } from './command.ts';

/** On stderr. */
export function reportDiagnostics(found: readonly { readonly file: string; readonly diagnostics: readonly Diagnostic[] }[]): void {
  const explained = new Set<string>();
  const lines = found.flatMap(({ file, diagnostics }) =>
    diagnostics.flatMap(({ line, column, severity, code, message }) => {
      const finding = printable(`${file}:${line}:${column}: ${severity} ${code}: ${message}`);
      const { next } = new HeadgateError(code, message);
      if (next === '' || explained.has(code)) return [finding];
      explained.add(code);
      return [finding, `  try: ${next}`];
    }),
  );
  if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
}
