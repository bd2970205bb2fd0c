/** Commands refuse names in `--fields` of an empty list by what they know of the API, which must be what it answers. */
import { expect, test } from 'vitest';
import { namedSchemas } from '../src/api/schemas.ts';
import { listedFields } from '../src/cli/list-fields.ts';

const job = encodeURIComponent('01a2/1');

test.each([
  ['/v1/arrivals', 'Arrival'],
  ['/v1/batches', 'BatchSummary'],
  [`/v1/batches/${job}/refusals`, 'Refusal'],
  ['/v1/blocked-keys', 'BlockedKey'],
  ['/v1/dead-letters', 'DeadLetter'],
  ['/v1/dead-letters/groups', 'DeadLetterGroup'],
  ['/v1/events', 'Event'],
  ['/v1/files', 'File'],
  ['/v1/flows', 'FlowSummary'],
  ['/v1/jobs', 'JobSummary'],
  [`/v1/jobs/${job}/errors`, 'Finding'],
  [`/v1/jobs/${job}/records`, 'RecordSummary'],
  ['/v1/keys', 'Key'],
])('the fields of %s, and no others, can be picked from an empty list', (path, name) => {
  const schema = namedSchemas.find((each) => (each as { $id?: string }).$id === name) as unknown as { properties: object };
  expect(listedFields(path)!.toSorted()).toEqual(Object.keys(schema.properties).toSorted());
});
