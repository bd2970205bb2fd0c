/**
 * The errors of the client, of brokers and of the sockets below them, translated once. Texts of brokers name users and topics
 * and are left out; only names of codes are kept.
 */
import { protocolErrorsCodesById } from '@platformatic/kafka';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { connectorErrors } from '../connector-errors.ts';

/**
 * What a broker says of the messages for one partition. `taken`: on the disks of all replicas in sync. `faulty`: one of them
 * would be refused every time, and none was taken. `refused`: none was taken, and they may be sent again. `unknown`: it may
 * have them.
 */
export interface PartitionVerdict {
  readonly kind: 'taken' | 'faulty' | 'refused' | 'unknown';
  readonly code: string;
  readonly message: string;
}

/**
 * `baseOffset`: where the partition has the messages; negative where they were not appended. A leader that appended them and lost its
 * place before all replicas had them answers with the error of whoever never led, and the next leader may have them.
 */
export function verdictOf({ errorCode, baseOffset }: { readonly errorCode: number; readonly baseOffset: bigint }): PartitionVerdict {
  const name = nameOfCode(errorCode);
  const said = kindOf(name);
  const kind = said !== 'taken' && baseOffset >= 0n ? 'unknown' : said;
  const code =
    kind === 'unknown' ? connectorErrors.E_TARGET_REPLY_LOST : kind === 'faulty' ? connectorErrors.E_TARGET_RECORD : codeOf(name);
  return { kind, code, message: `${kind === 'unknown' ? 'the broker can not say what it took' : sentenceOf(code)} (${name})` };
}

function kindOf(name: string): PartitionVerdict['kind'] {
  switch (name) {
    case 'NONE':
      return 'taken';
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
    case 'INVALID_RECORD':
      return 'faulty';
    case 'CORRUPT_MESSAGE':
    // Messages have the time of their attempt: one of two clocks is wrong, and no record.
    case 'INVALID_TIMESTAMP':
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'LEADER_NOT_AVAILABLE':
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'BROKER_NOT_AVAILABLE':
    case 'REPLICA_NOT_AVAILABLE':
    case 'INVALID_TOPIC_EXCEPTION':
    case 'NOT_ENOUGH_REPLICAS':
    case 'INVALID_REQUIRED_ACKS':
    case 'TOPIC_AUTHORIZATION_FAILED':
    case 'CLUSTER_AUTHORIZATION_FAILED':
    case 'UNSUPPORTED_VERSION':
    case 'INVALID_REQUEST':
    case 'UNSUPPORTED_FOR_MESSAGE_FORMAT':
    case 'POLICY_VIOLATION':
    case 'OUT_OF_ORDER_SEQUENCE_NUMBER':
    case 'INVALID_PRODUCER_EPOCH':
    case 'INVALID_PRODUCER_ID_MAPPING':
    case 'UNKNOWN_PRODUCER_ID':
    case 'FENCED_LEADER_EPOCH':
    case 'UNKNOWN_LEADER_EPOCH':
    case 'UNSUPPORTED_COMPRESSION_TYPE':
    case 'THROTTLING_QUOTA_EXCEEDED':
    case 'PRODUCER_FENCED':
      return 'refused';
    default:
      // REQUEST_TIMED_OUT and NOT_ENOUGH_REPLICAS_AFTER_APPEND: the leader has it. KAFKA_STORAGE_ERROR, UNKNOWN_SERVER_ERROR and what later versions bring: nobody knows.
      return 'unknown';
  }
}

/** Of anything that ends a connection or keeps it from being opened. */
export function connectionFailure(error: unknown): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const name = nameOf(error);
  const code = codeOf(name);
  return new HeadgateError(code, `${sentenceOf(code)}${name === '' ? '' : ` (${name})`}`, { cause: error });
}

export function missingPartition(topic: string, partition: number): HeadgateError {
  return new HeadgateError(connectorErrors.E_TARGET_SETUP, `the topic "${topic}" has no partition ${partition}`);
}

/** Of a question for the topic that was answered with this code. */
export function topicFailure(errorCode: number, topic: string): HeadgateError {
  const name = nameOfCode(errorCode);
  const code = codeOf(name);
  const sentence = code === connectorErrors.E_TARGET_SETUP ? `the broker has no topic "${topic}", or none for this user` : sentenceOf(code);
  return new HeadgateError(code, `${sentence} (${name})`);
}

function nameOfCode(errorCode: number): string {
  return (protocolErrorsCodesById as Readonly<Record<string, string>>)[String(errorCode)] ?? `error ${errorCode}`;
}

const depthMax = 8;

/** The name that a broker's answer has somewhere in the error, else the code of a socket or of TLS; empty where there is none. */
function nameOf(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > depthMax) return '';
  const { apiId, cause, errors, code } = error as { apiId?: unknown; cause?: unknown; errors?: unknown; code?: unknown };
  if (typeof apiId === 'string') return apiId;
  const inner = [cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])]
    .map((one) => nameOf(one, depth + 1))
    .find((name) => name !== '');
  if (inner !== undefined) return inner;
  return typeof code === 'string' && /^[A-Za-z0-9_]{1,60}$/.test(code) ? code : '';
}

function codeOf(name: string): string {
  switch (name) {
    case 'SASL_AUTHENTICATION_FAILED':
    case 'PLT_KFK_AUTHENTICATION':
    case 'TOPIC_AUTHORIZATION_FAILED':
    case 'CLUSTER_AUTHORIZATION_FAILED':
      return connectorErrors.E_TARGET_FORBIDDEN;
    case 'UNKNOWN_TOPIC_OR_PARTITION':
    case 'INVALID_TOPIC_EXCEPTION':
    case 'INVALID_TIMESTAMP':
    case 'INVALID_REQUIRED_ACKS':
    case 'UNSUPPORTED_SASL_MECHANISM':
    case 'ILLEGAL_SASL_STATE':
    case 'UNSUPPORTED_VERSION':
    case 'UNSUPPORTED_FOR_MESSAGE_FORMAT':
    case 'UNSUPPORTED_COMPRESSION_TYPE':
    case 'POLICY_VIOLATION':
    case 'INVALID_REQUEST':
      return connectorErrors.E_TARGET_SETUP;
    case 'CORRUPT_MESSAGE':
    case 'LEADER_NOT_AVAILABLE':
    case 'NOT_LEADER_OR_FOLLOWER':
    case 'BROKER_NOT_AVAILABLE':
    case 'REPLICA_NOT_AVAILABLE':
    case 'NOT_ENOUGH_REPLICAS':
    case 'OUT_OF_ORDER_SEQUENCE_NUMBER':
    case 'INVALID_PRODUCER_EPOCH':
    case 'INVALID_PRODUCER_ID_MAPPING':
    case 'UNKNOWN_PRODUCER_ID':
    case 'PRODUCER_FENCED':
    case 'FENCED_LEADER_EPOCH':
    case 'UNKNOWN_LEADER_EPOCH':
    case 'COORDINATOR_LOAD_IN_PROGRESS':
    case 'COORDINATOR_NOT_AVAILABLE':
    case 'CONCURRENT_TRANSACTIONS':
    case 'THROTTLING_QUOTA_EXCEEDED':
    case 'KAFKA_STORAGE_ERROR':
      return connectorErrors.E_TARGET_BUSY;
    case 'REQUEST_TIMED_OUT':
    case 'ETIMEDOUT':
      return connectorErrors.E_TARGET_TIMEOUT;
    default:
      // Sockets, TLS, and what later versions bring.
      return connectorErrors.E_TARGET_UNREACHABLE;
  }
}

const sentences: Readonly<Record<string, string>> = {
  [connectorErrors.E_TARGET_FORBIDDEN]: 'the broker refused the credentials or the rights of the connection',
  [connectorErrors.E_TARGET_SETUP]: 'the broker has no such topic or partition, or does not take what is sent in this form',
  [connectorErrors.E_TARGET_BUSY]: 'the partition takes no messages for now',
  [connectorErrors.E_TARGET_TIMEOUT]: 'the broker did not answer in time',
  [connectorErrors.E_TARGET_RECORD]: 'the broker would refuse the message every time',
};

function sentenceOf(code: string): string {
  return sentences[code] ?? 'the connection to the broker ended or could not be made';
}
