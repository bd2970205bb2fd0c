/**
 * What the items of the API's lists consist of, so that a name in `--fields` that is none is refused where a list is empty
 * too. test/list-fields.test.ts holds it against what the API says of itself.
 */
const fieldsByPath: Readonly<Record<string, string>> = {
  '/v1/arrivals':
    'arrivalId flow source name state bytes sha256 reasonCode reason next fileId duplicateOf containerArrivalId traceId seenAt changedAt',
  '/v1/batches':
    'batchId flow targetId state awaitsDecision outcomeUnknown mayHaveArrived jobIds records bytes attempts fileSequence via answerState reasonCode message next createdAt changedAt',
  '/v1/batches/{id}/refusals': 'position jobId record code answerJobId answerRecord createdAt',
  '/v1/blocked-keys': 'deadLetterId jobId flow targetId recordNumber cause code isWholeLane blockedAt',
  '/v1/dead-letters':
    'deadLetterId jobId flowId flowName targetId batchId recordNumber cause code message deliveryKey amounts mayBeThere groupId state reason decidedBy createdAt blocksKey next',
  '/v1/dead-letters/groups': 'groupId flow targetId code causes shape records jobs amounts oldestAt newestAt expiresAt samples',
  '/v1/events': 'seq eventId envelopeVersion type objectId from to actor traceId detail at',
  '/v1/files':
    'fileId arrivalId flow name bytes sha256 containerName containerSha256 containerArrivalId via acceptedNumber sameNameAs acceptedAt jobIds acknowledgements',
  '/v1/flows': 'name service subService version enabled hash flowId flowVersionId createdAt',
  '/v1/health': 'flow kind id type connection state code message next durationMs probedAt askedBy',
  '/v1/health/probes': 'probeId state code message next durationMs probedAt askedBy',
  '/v1/jobs': 'jobId flow flowVersion file fileId redriveOf state verdict reasonCode records createdAt closedAt',
  '/v1/jobs/{id}/errors': 'record finding offset severity code field rule message',
  '/v1/jobs/{id}/records': 'recordId record status warned offset targets',
  '/v1/targets':
    'flow targetId type connection state mode since reasonCode next nextProbeAt pausedUntil concurrency parkedBatches parkedRecords heldBatches heldRecords',
  '/v1/keys': 'keyId name scopes createdAt expiresAt revokedAt',
};

/** Undefined for a list that is not known. */
export function listedFields(path: string): readonly string[] | undefined {
  return fieldsByPath[path.replace(/^(\/v1\/(?:jobs|batches))\/[^/]+\//, '$1/{id}/')]?.split(' ');
}
