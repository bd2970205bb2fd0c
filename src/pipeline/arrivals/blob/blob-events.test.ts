import { describe, expect, it } from 'vitest';
import { eventsMax, readBlobEvents } from './blob-events.ts';

const s3Record = (key: string, eventName = 'ObjectCreated:Put') => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  eventName,
  s3: { bucket: { name: 'inbox' }, object: { key, size: 7, eTag: '5d41402abc4b2a76b9719d911017c592', sequencer: '0A1B2C3D4E5F678901' } },
});
const eventBridge = (key: string, detailType = 'Object Created') => ({
  version: '0',
  id: '17793124-05d4-b198-2fde-7ededc63b103',
  'detail-type': detailType,
  source: 'aws.s3',
  detail: {
    bucket: { name: 'inbox' },
    object: { key, etag: 'b1946ac92492d2347c6235b4d2611184', 'version-id': 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e' },
  },
});
const gridEvent = (subject: string, eventType = 'Microsoft.Storage.BlobCreated') => ({
  topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/bank',
  subject,
  eventType,
  id: '831e1650-001e-001b-66ab-eeb76e069631',
  data: { api: 'PutBlockList', url: 'http://169.254.169.254/', eTag: '0x8D4BCC2E4835CD0' },
  dataVersion: '',
  metadataVersion: '1',
});
const inbox = '/blobServices/default/containers/inbox/blobs/';

describe('a notification', () => {
  it.each<[string, unknown, readonly string[], number]>([
    [
      'of S3',
      { Records: [s3Record('in/a.csv'), s3Record('in/b.csv', 'ObjectCreated:CompleteMultipartUpload')] },
      ['in/a.csv', 'in/b.csv'],
      2,
    ],
    ['of S3 with a name that it escapes', { Records: [s3Record('in/a+b%C3%A4%2B.csv')] }, ['in/a bä+.csv'], 1],
    [
      'of what speaks as S3 does',
      { EventName: 's3:ObjectCreated:Put', Key: 'inbox/in/a.csv', Records: [s3Record('in/a.csv', 's3:ObjectCreated:Put')] },
      ['in/a.csv'],
      1,
    ],
    ['of S3 about what was removed', { Records: [s3Record('in/a.csv', 'ObjectRemoved:Delete')] }, [], 1],
    ['that S3 sends when it is set up', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'inbox' }, [], 0],
    ['of EventBridge', eventBridge('in/a+b%20.csv'), ['in/a+b%20.csv'], 1],
    ['of EventBridge about what was removed', eventBridge('in/a.csv', 'Object Deleted'), [], 1],
    ['of Event Grid', [gridEvent(`${inbox}in/a b.csv`), gridEvent(`${inbox}b.csv`)], ['in/a b.csv', 'b.csv'], 2],
    ['of Event Grid about what was removed', [gridEvent(`${inbox}a.csv`, 'Microsoft.Storage.BlobDeleted')], [], 1],
  ])('%s says where new objects lie', (_what, body, names, events) => {
    const blobs = names.map((name) => ({ container: 'inbox', name }));
    expect(readBlobEvents(body)).toEqual({ kind: 'created', blobs, events });
  });

  const question = {
    ...gridEvent('', 'Microsoft.EventGrid.SubscriptionValidationEvent'),
    data: { validationCode: '512d38b6', validationUrl: 'http://x' },
  };

  it('that asks whether events are wanted has a code, which is all that is taken of it', () => {
    expect(readBlobEvents([question])).toEqual({ kind: 'question', code: '512d38b6' });
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text', 'a'],
    ['an empty object', {}],
    ['another document', { tenant: 'bank', Key: 'in/a.csv' }],
    ['records that are none', { Records: [1] }],
    ['a record without an object', { Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'inbox' } } }] }],
    ['a name that is half escaped', { Records: [s3Record('in/%E0%A4.csv')] }],
    ['a name that is a number', { Records: [{ eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'inbox' }, object: { key: 7 } } }] }],
    ['a subject of something else', [gridEvent('/queueServices/default/queues/inbox')]],
    ['more events than are ever sent', Array.from({ length: eventsMax + 1 }, () => gridEvent(`${inbox}a.csv`))],
    ['a question with events behind it', [question, gridEvent(`${inbox}a.csv`)]],
    ['a question without a code', [{ ...question, data: {} }]],
    ['a code that is a book', [{ ...question, data: { validationCode: 'c'.repeat(201) } }]],
  ])('that is %s is refused', (_what, body) => {
    expect(() => readBlobEvents(body)).toThrow(expect.objectContaining({ code: 'E_BLOB_EVENT' }));
  });
});
