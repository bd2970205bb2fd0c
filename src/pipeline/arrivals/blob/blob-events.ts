/**
 * Notifications of blob services, as they send them: events of Amazon S3 (2.x, by themselves or as Amazon EventBridge passes
 * them on) and of what speaks its protocol, and those of Azure Event Grid. Only where a new object lies is read; anything else in
 * them may be anybody's and is passed over.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { arrivalErrors } from '../arrival-errors.ts';

export interface NewBlob {
  /** Bucket or container. */
  readonly container: string;
  /** Whole, with slashes. */
  readonly name: string;
}

export type BlobEvents =
  /** Azure asks whether its events are wanted (Event Grid, validation handshake of webhooks): the code is to be answered. */
  | { readonly kind: 'question'; readonly code: string }
  | {
      readonly kind: 'created';
      readonly blobs: readonly NewBlob[];
      /** Events in it, those of other things included. */
      readonly events: number;
    };

/** Event Grid sends 5,000 at most, S3 one. */
export const eventsMax = 5_000;
const codeMax = 200;

type Fields = Readonly<Record<string, unknown>>;

/** `body` is JSON as it came. Fails with E_BLOB_EVENT for what is no notification. */
export function readBlobEvents(body: unknown): BlobEvents {
  const events = eventsOf(body);
  if (events.length > eventsMax) throw notUnderstood(`more than ${eventsMax} events at once`);
  const question = events.map(questionOf).find((code) => code !== null);
  if (question !== undefined) {
    if (events.length > 1 || question.length > codeMax) throw notUnderstood('the question of a new subscription comes alone');
    return { kind: 'question', code: question };
  }
  return { kind: 'created', blobs: events.flatMap((event) => newBlobOf(event) ?? []), events: events.length };
}

function eventsOf(body: unknown): readonly Fields[] {
  if (Array.isArray(body)) return body.map(fieldsOf);
  const fields = fieldsOf(body);
  if (Array.isArray(fields['Records'])) return fields['Records'].map(fieldsOf);
  // What S3 sends when notifications are set up says of nothing that it is there.
  if (fields['Event'] === 's3:TestEvent') return [];
  if (typeof fields['detail-type'] === 'string') return [fields];
  throw notUnderstood('it is none of those that S3, EventBridge and Event Grid send');
}

function questionOf(event: Fields): string | null {
  if (event['eventType'] !== 'Microsoft.EventGrid.SubscriptionValidationEvent') return null;
  const code = fieldsOf(event['data'])['validationCode'];
  if (typeof code !== 'string') throw notUnderstood('the question of a new subscription has no code');
  return code;
}

function newBlobOf(event: Fields): NewBlob | null {
  const { eventName, eventType, 'detail-type': detailType } = event;
  if (typeof eventName === 'string' && /^(s3:)?ObjectCreated:/.test(eventName)) return objectOf(fieldsOf(event['s3']), true);
  if (detailType === 'Object Created') return objectOf(fieldsOf(event['detail']), false);
  if (eventType === 'Microsoft.Storage.BlobCreated') {
    const [, container, name] = /^\/blobServices\/default\/containers\/([^/]+)\/blobs\/(.+)$/s.exec(textOf(event['subject'])) ?? [];
    if (container === undefined || name === undefined) throw notUnderstood('the subject of an event is none of a blob');
    return { container, name };
  }
  return null;
}

/** S3 escapes names as forms do; EventBridge passes them on as they are. */
function objectOf(fields: Fields, isEscaped: boolean): NewBlob {
  const container = textOf(fieldsOf(fields['bucket'])['name']);
  const key = textOf(fieldsOf(fields['object'])['key']);
  try {
    return { container, name: isEscaped ? decodeURIComponent(key.replaceAll('+', ' ')) : key };
  } catch {
    throw notUnderstood('the name of an object is escaped in a way that is none');
  }
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notUnderstood('a part is missing, or is of another kind');
  return value as Fields;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw notUnderstood('a part is missing, or is of another kind');
  return value;
}

function notUnderstood(why: string): HeadgateError {
  return new HeadgateError(arrivalErrors.E_BLOB_EVENT, `the notification is not understood: ${why}`);
}
