/**
 * Every metric of the product, in one list; docs/reference/metrics.md is generated from it. Names follow Prometheus: a
 * `headgate_` prefix, base units (seconds, bytes), `_total` for counters. Labels hold names of configuration, never ids of
 * files or records, and never content.
 */
export interface MetricDescription {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export const metricsCatalogue = {
  headgate_build_info: {
    kind: 'gauge',
    help: 'Always 1; the labels name version, region and cell.',
    labels: ['version', 'region', 'cell'],
  },
  headgate_files_total: { kind: 'counter', help: 'Arrivals that ended, by how.', labels: ['tenant', 'outcome'] },
  headgate_file_bytes_total: { kind: 'counter', help: 'Plaintext bytes of accepted files.', labels: ['tenant'] },
  headgate_files_refused_total: {
    kind: 'counter',
    help: 'Files that were not accepted although they came whole, by outcome (duplicate, held, quarantined) and code.',
    labels: ['tenant', 'outcome', 'code'],
  },
  headgate_admission_refused_total: {
    kind: 'counter',
    help: 'Uploads refused, and batches of a folder source put off, before a byte was kept, by the limit that was full.',
    labels: ['tenant', 'limit'],
  },
  headgate_source_polls_total: {
    kind: 'counter',
    help: 'Polls of folder sources, by outcome (ok, failed).',
    labels: ['tenant', 'flow', 'source', 'outcome'],
  },
  headgate_source_last_poll_timestamp_seconds: {
    kind: 'gauge',
    help: 'Unix time of the last good poll of the source by this process; the greatest of all processes counts.',
    labels: ['tenant', 'flow', 'source'],
  },
  headgate_source_poll_lag_seconds: {
    kind: 'gauge',
    help: 'How long the source had been due when its last poll began.',
    labels: ['tenant', 'flow', 'source'],
  },
  headgate_source_unreadable_total: {
    kind: 'counter',
    help: 'Tries to take a file of a source that could not be read, or whose name could not be kept (E_NAME), which is tried again; and files that were not taken because others took their name (E_SOURCE_REPLACED).',
    labels: ['tenant', 'flow', 'source', 'code'],
  },
  headgate_sftp_sessions: { kind: 'gauge', help: 'Sessions of users of the SFTP server at this process.', labels: [] },
  headgate_sftp_logins_total: {
    kind: 'counter',
    help: 'Logins to the SFTP server, by outcome: ok, and why not (room, credentials, time, sessions).',
    labels: ['outcome'],
  },
  headgate_sftp_uploads_total: {
    kind: 'counter',
    help: 'Uploads over SFTP, by outcome: taken (accepted, duplicate or held), or the code of the refusal.',
    labels: ['tenant', 'outcome'],
  },
  headgate_jobs_total: { kind: 'counter', help: 'Jobs that closed, by closing state.', labels: ['tenant', 'flow', 'state'] },
  headgate_acknowledgements_total: {
    kind: 'counter',
    help: 'Tries to write acknowledgements for senders, by outcome: sent, retried, failed (given up).',
    labels: ['tenant', 'flow', 'outcome'],
  },
  headgate_answered_records_total: {
    kind: 'counter',
    help: 'Delivered records of which a downstream said something new in an answer, by what: accepted, refused, pending.',
    labels: ['tenant', 'flow', 'target', 'outcome'],
  },
  headgate_answers_overdue_total: {
    kind: 'counter',
    help: 'Delivered batches that were not answered in full in time.',
    labels: ['tenant', 'flow', 'target'],
  },
  headgate_job_seconds: {
    kind: 'histogram',
    help: 'From acceptance of the file to the closing of its job.',
    labels: ['flow'],
    buckets: seconds,
  },
  headgate_records_total: {
    kind: 'counter',
    help: 'Records read, by how they ended in the engine.',
    labels: ['tenant', 'flow', 'outcome'],
  },
  headgate_chunks_total: { kind: 'counter', help: 'Chunk runs, by outcome.', labels: ['outcome'] },
  headgate_chunk_seconds: { kind: 'histogram', help: 'Engine time of one chunk or group of small files.', labels: [], buckets: seconds },
  headgate_claims_total: { kind: 'counter', help: 'Claims of work, by kind and whether any was found.', labels: ['kind', 'found'] },
  headgate_leases_lost_total: {
    kind: 'counter',
    help: 'Work whose result was refused because its lease had gone to another.',
    labels: ['kind'],
  },
  headgate_rescued_total: { kind: 'counter', help: 'Expired leases taken back.', labels: ['kind'] },
  headgate_deliveries_total: {
    kind: 'counter',
    help: 'Records sent to targets, by outcome of the batch.',
    labels: ['tenant', 'target', 'outcome'],
  },
  headgate_attempts_total: { kind: 'counter', help: 'Attempts to deliver a batch, by outcome.', labels: ['target', 'outcome'] },
  headgate_attempt_seconds: { kind: 'histogram', help: 'Duration of one attempt.', labels: ['target'], buckets: seconds },
  headgate_dead_letters_total: { kind: 'counter', help: 'Records that were given up.', labels: ['tenant', 'target'] },
  headgate_batches_held_total: {
    kind: 'counter',
    help: 'Delivery batches that were held for a person, by the code that says why.',
    labels: ['tenant', 'target', 'code'],
  },
  headgate_breaker_changes_total: {
    kind: 'counter',
    help: "Changes of targets' breakers, by the state that they came into (closed, open, half_open).",
    labels: ['tenant', 'target', 'to'],
  },
  headgate_batches_parked_total: {
    kind: 'counter',
    help: "Delivery batches that were parked because their target's breaker is open.",
    labels: ['tenant', 'target'],
  },
  headgate_backlog: {
    kind: 'gauge',
    help: 'Units of work that wait, by kind; of the whole database, like the next two, read at most once in five seconds.',
    labels: ['kind'],
  },
  headgate_leased: { kind: 'gauge', help: 'Units of work that somebody has, by kind.', labels: ['kind'] },
  headgate_backlog_oldest_seconds: {
    kind: 'gauge',
    help: 'How long the oldest unit of work that is not done has been due, by kind.',
    labels: ['kind'],
  },
  headgate_database_statements_total: {
    kind: 'counter',
    help: 'SQL statements by name and outcome: ok, failed, and unknown for a COMMIT whose answer was lost.',
    labels: ['statement', 'outcome'],
  },
  headgate_http_requests_total: { kind: 'counter', help: 'API requests by route and status.', labels: ['method', 'route', 'status'] },
  headgate_http_request_seconds: {
    kind: 'histogram',
    help: 'Duration of API requests by route.',
    labels: ['method', 'route'],
    buckets: seconds,
  },
  headgate_event_transactions_sequenced_total: {
    kind: 'counter',
    help: "Transactions whose events got their places in their tenant's order.",
    labels: [],
  },
  headgate_invariant_violations_total: {
    kind: 'counter',
    help: 'Broken invariants found by checks; alert above 0.',
    labels: ['invariant'],
  },
  headgate_is_leader: { kind: 'gauge', help: '1 while this process leads: event-sequencer, storage-sweep, key-pruner.', labels: ['role'] },
} as const satisfies Record<string, MetricDescription>;

export type MetricName = keyof typeof metricsCatalogue;
type NamesOf<Kind extends MetricDescription['kind']> = {
  [Name in MetricName]: (typeof metricsCatalogue)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
export type CounterName = NamesOf<'counter'>;
export type GaugeName = NamesOf<'gauge'>;
export type HistogramName = NamesOf<'histogram'>;
export type LabelsOf<Name extends MetricName> = Readonly<Record<(typeof metricsCatalogue)[Name]['labels'][number], string>>;
