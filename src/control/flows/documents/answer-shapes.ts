/** What flows say of answers: that a target is to give them, and how those that come are read (docs/answers.md). */
import { choice, type Key, list, name, object, text } from './shape.ts';

const minuteMs = 60_000;
const outputField = text('an output field, such as out.id', '^out\\.[A-Za-z][A-Za-z0-9_]{0,63}$', 70);
const statuses = list(text('a status', '^[^\\u0000-\\u001f\\u007f]+$', 100), { max: 50 });

/** Of any target. */
export const expectedAnswersKey: Key = {
  description: 'What was delivered is answered in files that come later; what is not by then is overdue (docs/answers.md).',
  shape: object({
    within: {
      shape: { kind: 'duration', minMs: 1_000, maxMs: 60 * 24 * 60 * minuteMs },
      required: true,
      description: 'Longest time from the delivery of a batch to the answer to all of its records.',
    },
    key: {
      shape: outputField,
      description: 'The output field by whose value answers name a record; without it they are about batches as a whole.',
    },
    group: {
      shape: outputField,
      description: 'The output field by whose value they name many records at once, such as a payment information.',
    },
  }),
};

/** Of targets of type answers. */
export const answersTargetKeys: Readonly<Record<string, Key>> = {
  of: {
    shape: list(
      object({
        flow: { shape: name, required: true, description: 'A flow of the tenant.' },
        target: { shape: name, required: true, description: 'Its target, with `answers`.' },
      }),
      { min: 1, max: 32 },
    ),
    required: true,
    description: 'Whose deliveries the answers are about.',
  },
  file: {
    shape: outputField,
    description: 'The output field with the name of the file that was sent, with its ending or without, or the id of the batch.',
  },
  group: { shape: outputField, description: 'The output field that names a group of records, where no record is named.' },
  key: {
    shape: outputField,
    description: 'The output field that names a record; an answer without it is about the group or the file as a whole.',
  },
  about: {
    shape: choice(['any', 'records']),
    description:
      '`records`: each answer is about one record, and one that does not name it is about nothing. Without it that is so of status reports whose records are transactions.',
  },
  level: {
    shape: outputField,
    description:
      'The output field that is `transaction` where an answer is about one record, and about nothing where it does not name it; of pain.002 with `statuses: all` the field that is `record.level`.',
  },
  status: {
    shape: outputField,
    description: 'The output field that says what became of it. pain.002 has defaults for all of these fields and for the statuses.',
  },
  reason: { shape: outputField, description: 'The output field with the code that says why it was refused.' },
  accepted: { shape: statuses, description: 'Statuses that say that it was accepted, for good.' },
  refused: { shape: statuses, description: 'Statuses that say that it was refused, for good.' },
  pending: { shape: statuses, description: 'Statuses that say that it is not decided.' },
  partial: { shape: statuses, description: 'Statuses of a file or group that say that its records are told of one by one.' },
  unlisted: {
    shape: choice(['accepted', 'pending', 'unanswered']),
    default: 'unanswered',
    description: 'What the records are that such a file or group does not list.',
  },
};
