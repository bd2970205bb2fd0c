/** Errors of `headgate run`: of its options, its input and its output, never of content. */
import { defineErrors } from '../../platform/base/errors.ts';

export const runErrors = defineErrors({
  E_INPUT_FILE: { meaning: 'A file that was named cannot be read.', actor: 'caller', next: 'Check the path and its permissions.' },
  E_OUTPUT_FOLDER: {
    meaning: 'The output folder cannot be written.',
    actor: 'caller',
    next: 'Choose another folder with --out, or check its permissions and free space.',
  },
  E_FORMAT_OPTION: {
    meaning: 'A format, or an option of one, is unknown or has a wrong value.',
    actor: 'caller',
    next: 'Use a name or value that the message gives; docs/formats.md and the page of each format say what its options do.',
  },
});
