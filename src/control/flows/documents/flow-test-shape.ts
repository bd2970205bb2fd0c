/** `kind: FlowTest`: files for a flow, and what has to become of them. It is never applied: it lies beside the flow and is run by `headgate flow test`. */
import { choice, fieldNamePattern, integer, type Key, list, name, namePattern, object, relativePath, type Shape, text } from './shape.ts';

const code = text('a code', '^[A-Z][A-Z0-9_]{0,63}$', 64);
const targetName: Shape = name;
const anyText: Shape = { kind: 'exact-text' };

const record = object({
  status: { shape: choice(['valid', 'rejected', 'filtered']), required: true, description: 'What becomes of the record.' },
  errors: { shape: list(code, { max: 50 }), description: 'Codes of all its errors, in any order.' },
  warnings: { shape: list(code, { max: 50 }), description: 'Codes of all its warnings, in any order.' },
  routes: { shape: list(targetName, { max: 100 }), description: 'All targets that it goes to, in any order.' },
  output: {
    shape: { kind: 'map', keyPattern: fieldNamePattern, keyExpected: 'an output field', of: anyText, min: 1, max: 500 },
    description: 'Output fields and their values as text; those that are not named may be anything.',
  },
  sent: {
    shape: { kind: 'map', keyPattern: namePattern, keyExpected: 'a target', of: text(undefined, undefined, 20_000), min: 1, max: 100 },
    description: 'The line that a target gets, without its line end.',
  },
});

export const flowTestKeys: Readonly<Record<string, Key>> = {
  metadata: {
    required: true,
    description: 'Its name and tenant.',
    shape: object({
      tenant: { shape: name, required: true, description: 'The tenant.' },
      name: { shape: name, required: true, description: 'Name of the test.' },
    }),
  },
  spec: {
    required: true,
    description: 'The test itself.',
    shape: object({
      flow: { shape: relativePath, required: true, description: 'The file of the flow, from the folder of this one.' },
      cases: {
        required: true,
        description: 'Each is a file of its own.',
        shape: list(
          object({
            id: { shape: name, required: true, description: 'Its name.' },
            input: { shape: text(undefined, undefined, 1_000_000), description: 'The text of the file; a block (`|`) keeps its lines.' },
            file: { shape: relativePath, description: 'The file, from the folder of this one, in place of `input`.' },
            expect: {
              required: true,
              description: 'What has to become of it; what is not named may be anything.',
              shape: object({
                verdict: { shape: choice(['accepted', 'partial', 'held', 'rejected']), description: 'Of the file.' },
                reasons: { shape: list(code, { max: 50 }), description: 'Codes of why it is held or rejected, in any order.' },
                read: { shape: integer(0, 1_000_000), description: 'Number of its records.' },
                records: { shape: list(record, { max: 1_000 }), description: 'All of its records, in order.' },
              }),
            },
          }),
          { min: 1, max: 500, id: 'id' },
        ),
      },
    }),
  },
};
