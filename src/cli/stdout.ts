/**
 * What commands print. A reader that has seen enough (`| head`) is no failure; that nothing can be written, as on a full
 * disk, is one with a code.
 */
import { HeadgateError } from '../platform/base/errors.ts';
import { cliErrors } from './cli-errors.ts';

export interface Writing {
  /** There is no other time to see it, so that a reader who is gone has not seen enough. */
  readonly isShownOnce?: boolean;
}

/** Waits until the pipe has taken it: nothing is cut at exit, and a slow reader slows the writer. Fails with E_STDOUT. */
export function writeOut(text: string | Uint8Array, { isShownOnce = false }: Writing = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) =>
      error && (isShownOnce || (error as NodeJS.ErrnoException).code !== 'EPIPE') ? reject(unwritten(error)) : resolve(),
    );
  });
}

/** Not about what the command was given. */
export function isUnwritten(thrown: unknown): thrown is HeadgateError {
  return thrown instanceof HeadgateError && thrown.code === cliErrors.E_STDOUT;
}

function unwritten(cause: NodeJS.ErrnoException): HeadgateError {
  return new HeadgateError(cliErrors.E_STDOUT, `what the command prints can't be written (${cause.code ?? 'unexpected failure'})`, {
    cause,
  });
}
