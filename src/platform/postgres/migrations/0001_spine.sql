-- The spine: tenants, flows, arrivals, files, jobs, chunks, segments, batches, attempts, receipts, events, the work queue.
-- Run as headgate_owner, who owns everything here but the dispatcher's functions. Rules: docs/decisions and test/schema.test.ts.

-- Time ------------------------------------------------------------------------------------------------------------

create table headgate.clock_offset (only_row boolean primary key default true check (only_row), by interval not null default '0');
insert into headgate.clock_offset default values;
grant select on headgate.clock_offset to headgate_app, headgate_dispatcher;

-- The only source of time that decides anything. The offset is for tests; only the owner can set it.
create function headgate.clock() returns timestamptz language sql volatile parallel safe set search_path = '' as $$
  select clock_timestamp() + (select by from headgate.clock_offset)
$$;

create function headgate.tenant() returns uuid language sql stable parallel safe set search_path = '' as $$
  select nullif(current_setting('headgate.tenant', true), '')::uuid
$$;

-- State machines ----------------------------------------------------------------------------------------------------

create table headgate.state_transitions (
  machine text collate "C" not null,
  from_state text collate "C" not null,
  event text collate "C" not null,
  to_state text collate "C" not null,
  primary key (machine, from_state, event, to_state)
);
grant select on headgate.state_transitions to headgate_app, headgate_dispatcher;

insert into headgate.state_transitions (machine, from_state, event, to_state) values
  ('arrival', '', 'see', 'seen'),
  ('arrival', 'seen', 'grow', 'growing'),
  ('arrival', 'seen', 'settle', 'stable'),
  ('arrival', 'seen', 'complete', 'complete'),
  ('arrival', 'seen', 'vanish', 'vanished'),
  ('arrival', 'seen', 'quarantine', 'quarantined'),
  ('arrival', 'growing', 'settle', 'stable'),
  ('arrival', 'growing', 'vanish', 'vanished'),
  ('arrival', 'growing', 'quarantine', 'quarantined'),
  ('arrival', 'stable', 'grow', 'growing'),
  ('arrival', 'stable', 'complete', 'complete'),
  ('arrival', 'stable', 'vanish', 'vanished'),
  ('arrival', 'stable', 'quarantine', 'quarantined'),
  ('arrival', 'complete', 'verify', 'verified'),
  ('arrival', 'complete', 'grow', 'growing'),
  ('arrival', 'complete', 'vanish', 'vanished'),
  ('arrival', 'complete', 'quarantine', 'quarantined'),
  ('arrival', 'complete', 'verify+accept', 'accepted'),
  ('arrival', 'complete', 'verify+unpack', 'unpacked'),
  ('arrival', 'complete', 'verify+duplicate', 'duplicate'),
  ('arrival', 'complete', 'verify+quarantine', 'quarantined'),
  ('arrival', 'complete', 'verify+hold', 'held'),
  ('arrival', 'verified', 'accept', 'accepted'),
  ('arrival', 'verified', 'unpack', 'unpacked'),
  ('arrival', 'verified', 'duplicate', 'duplicate'),
  ('arrival', 'verified', 'quarantine', 'quarantined'),
  ('arrival', 'verified', 'hold', 'held'),
  ('arrival', 'held', 'accept', 'accepted'),
  ('arrival', 'held', 'quarantine', 'quarantined'),
  ('job', '', 'create', 'queued'),
  ('job', 'queued', 'start', 'running'),
  ('job', 'queued', 'accept', 'delivering'),
  ('job', 'queued', 'hold', 'held'),
  ('job', 'queued', 'reject', 'rejected'),
  ('job', 'queued', 'cancel', 'cancelled'),
  ('job', 'running', 'check', 'checking'),
  ('job', 'running', 'accept', 'delivering'),
  ('job', 'running', 'hold', 'held'),
  ('job', 'running', 'reject', 'rejected'),
  ('job', 'running', 'cancel', 'cancelled'),
  ('job', 'checking', 'accept', 'delivering'),
  ('job', 'checking', 'hold', 'held'),
  ('job', 'checking', 'reject', 'rejected'),
  ('job', 'checking', 'cancel', 'cancelled'),
  ('job', 'held', 'release', 'delivering'),
  ('job', 'held', 'reject', 'rejected'),
  ('job', 'held', 'cancel', 'cancelled'),
  ('job', 'delivering', 'close', 'completed'),
  ('job', 'delivering', 'close', 'completed_with_failures'),
  ('job', 'delivering', 'cancel', 'cancelled'),
  ('chunk_group', '', 'create', 'ready'),
  ('chunk_group', 'ready', 'claim', 'running'),
  ('chunk_group', 'ready', 'cancel', 'cancelled'),
  ('chunk_group', 'running', 'release', 'ready'),
  ('chunk_group', 'running', 'finish', 'done'),
  ('chunk_group', 'running', 'fail', 'failed'),
  ('chunk_group', 'running', 'cancel', 'cancelled'),
  ('batch', '', 'cut', 'ready'),
  ('batch', 'ready', 'send', 'sending'),
  ('batch', 'ready', 'split', 'split'),
  ('batch', 'ready', 'cancel', 'cancelled'),
  ('batch', 'ready', 'block', 'dead'),
  ('batch', 'ready', 'hold', 'held'),
  ('batch', 'sending', 'acknowledge', 'acked'),
  ('batch', 'sending', 'refuse', 'refused'),
  ('batch', 'sending', 'retry', 'ready'),
  ('batch', 'sending', 'split', 'split'),
  ('batch', 'sending', 'exhaust', 'dead'),
  ('batch', 'sending', 'lose', 'unknown'),
  ('batch', 'unknown', 'send', 'sending'),
  ('batch', 'unknown', 'acknowledge', 'acked'),
  ('batch', 'unknown', 'refuse', 'refused'),
  ('batch', 'unknown', 'hold', 'held'),
  ('batch', 'unknown', 'exhaust', 'dead'),
  ('batch', 'held', 'retry', 'ready'),
  ('batch', 'held', 'acknowledge', 'acked'),
  ('batch', 'held', 'exhaust', 'dead'),
  ('batch', 'held', 'cancel', 'cancelled'),
  ('dead_letter', '', 'add', 'open'),
  ('dead_letter', 'open', 'redrive', 'redriving'),
  ('dead_letter', 'open', 'discard', 'discarded'),
  ('dead_letter', 'open', 'expire', 'expired'),
  ('dead_letter', 'redriving', 'deliver', 'redriven'),
  ('dead_letter', 'redriving', 'fail', 'replaced'),
  ('dead_letter', 'redriving', 'return', 'open'),
  ('batch', 'ready', 'park', 'parked'),
  ('batch', 'parked', 'resume', 'ready'),
  ('batch', 'parked', 'split', 'split'),
  ('batch', 'parked', 'cancel', 'cancelled'),
  ('breaker', '', 'watch', 'closed'),
  ('breaker', 'closed', 'trip', 'open'),
  ('breaker', 'open', 'try', 'half_open'),
  ('breaker', 'open', 'close', 'closed'),
  ('breaker', 'half_open', 'trip', 'open'),
  ('breaker', 'half_open', 'close', 'closed'),
  ('acknowledgement', '', 'ask', 'pending'),
  ('acknowledgement', 'pending', 'send', 'sent'),
  ('acknowledgement', 'pending', 'fail', 'failed'),
  ('acknowledgement', 'failed', 'retry', 'pending'),
  ('answer', '', 'expect', 'awaited'),
  ('answer', 'awaited', 'pass', 'overdue'),
  ('answer', 'awaited', 'complete', 'complete'),
  ('answer', 'overdue', 'complete', 'complete'),
  ('answer', 'complete', 'reopen', 'awaited'),
  ('flow_version', '', 'apply', 'active'),
  ('flow_version', 'active', 'supersede', 'superseded'),
  ('flow_version', 'superseded', 'restore', 'active'),
  ('flow_version', 'active', 'disable', 'disabled'),
  ('flow_version', 'disabled', 'enable', 'active');

-- Refuses a move that the machine named in the trigger's argument does not have (SQLSTATE HG001).
create function headgate.refuse_illegal_transition() returns trigger language plpgsql set search_path = '' as $$
declare
  v_from text := case when tg_op = 'INSERT' then '' else old.state end;
begin
  if not exists (select from headgate.state_transitions t
                 where t.machine = tg_argv[0] and t.from_state = v_from and t.to_state = new.state) then
    raise exception 'illegal transition of % from "%" to "%"', tg_argv[0], v_from, new.state using errcode = 'HG001';
  end if;
  return new;
end
$$;

create function headgate.refuse_change() returns trigger language plpgsql set search_path = '' as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'HG002';
end
$$;

-- Global, no tenant content ------------------------------------------------------------------------------------------

create table headgate.leaders (
  role text collate "C" primary key,
  holder uuid not null,
  fence bigint not null,
  until timestamptz not null
);
grant select, insert, update on headgate.leaders to headgate_app;

-- Tenants -------------------------------------------------------------------------------------------------------------

create table headgate.tenants (
  tenant_id uuid not null,
  name text collate "C" not null check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  tier text collate "C" not null default 'silver' check (tier in ('gold', 'silver', 'bronze')),
  cell text collate "C" not null,
  region text collate "C" not null,
  created_at timestamptz not null,
  constraint tenants_pkey primary key (tenant_id),
  constraint tenants_name_key unique (name)
);

-- Connection, Environment and TenantPolicy documents; the newest version of a name is in force.
create table headgate.definitions (
  tenant_id uuid not null references headgate.tenants,
  kind text collate "C" not null check (kind in ('Connection', 'Environment', 'TenantPolicy')),
  name text collate "C" not null,
  revision integer not null check (revision > 0),
  hash text collate "C" not null,
  document jsonb not null,
  applied_at timestamptz not null,
  applied_by text collate "C" not null,
  primary key (tenant_id, kind, name, revision)
);

create table headgate.api_keys (
  tenant_id uuid not null references headgate.tenants,
  key_id uuid not null,
  name text collate "C" not null,
  key_hash text collate "C" not null,
  scopes text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  primary key (tenant_id, key_id)
);
create index api_keys_by_hash on headgate.api_keys (key_hash);

-- What admission weighs. One row a tenant, changed in the transaction that changes what it counts.
create table headgate.tenant_usage (
  tenant_id uuid not null references headgate.tenants,
  stored_bytes bigint not null default 0,
  held_bytes bigint not null default 0,
  chunks_in_flight bigint not null default 0,
  -- Files accepted in the minute that began then.
  minute_at timestamptz,
  minute_files bigint not null default 0,
  primary key (tenant_id)
);

-- Flows -----------------------------------------------------------------------------------------------------------------

create table headgate.flows (
  tenant_id uuid not null references headgate.tenants,
  flow_id uuid not null,
  service text collate "C" not null,
  sub_service text collate "C",
  name text collate "C" not null,
  active_version_id uuid,
  enabled boolean not null default true,
  created_at timestamptz not null,
  primary key (tenant_id, flow_id),
  unique (tenant_id, name)
);

create table headgate.flow_versions (
  tenant_id uuid not null,
  flow_version_id uuid not null,
  flow_id uuid not null,
  version text collate "C" not null,
  hash text collate "C" not null,
  -- The author's text, and the canonical document that the hash covers.
  source text collate "C" not null,
  document jsonb not null,
  state text collate "C" not null check (state in ('active', 'superseded', 'disabled')),
  applied_at timestamptz not null,
  applied_by text collate "C" not null,
  primary key (tenant_id, flow_version_id),
  unique (tenant_id, flow_id, version),
  foreign key (tenant_id, flow_id) references headgate.flows
);

-- Numbers files of a flow in the order of acceptance (decisions 19), gapless, in the accepting transaction.
create table headgate.flow_counters (
  tenant_id uuid not null,
  flow_id uuid not null,
  accepted bigint not null default 0,
  primary key (tenant_id, flow_id),
  foreign key (tenant_id, flow_id) references headgate.flows
);

-- When a source is polled next, and by whom. Ids and schedule only: the dispatcher reads across tenants.
create table headgate.source_schedules (
  tenant_id uuid not null,
  flow_id uuid not null,
  source_id text collate "C" not null,
  due_at timestamptz not null,
  lease_until timestamptz,
  worker_id uuid,
  fence bigint not null default 0,
  -- When all of its place is looked at next; due_at may be earlier for names that it was told of.
  list_due_at timestamptz not null default '-infinity',
  -- It was told of names since they were last taken.
  hinted boolean not null default false,
  -- Its place can not be used before: nothing makes it due earlier.
  retry_at timestamptz not null default '-infinity',
  primary key (tenant_id, flow_id, source_id),
  foreign key (tenant_id, flow_id) references headgate.flows
);
create index source_schedules_due on headgate.source_schedules (due_at);

-- Names that somebody said are new at a source; bounded for each.
create table headgate.source_hints (
  tenant_id uuid not null,
  flow_id uuid not null,
  source_id text collate "C" not null,
  name text collate "C" not null,
  hinted_at timestamptz not null,
  primary key (tenant_id, flow_id, source_id, name),
  foreign key (tenant_id, flow_id, source_id) references headgate.source_schedules on delete cascade
);

-- Arrivals and files --------------------------------------------------------------------------------------------------------

create table headgate.arrivals (
  tenant_id uuid not null,
  arrival_id uuid not null,
  flow_id uuid not null,
  source_id text collate "C" not null,
  -- As the sender gave it; only ever data.
  name text collate "C" not null,
  state text collate "C" not null check (state in ('seen', 'growing', 'stable', 'complete', 'verified', 'held', 'accepted', 'unpacked', 'duplicate', 'quarantined', 'vanished')),
  -- What the source showed last: bytes, modification time, inode; what tells a new file of the same name from the old one.
  size_bytes bigint not null default 0,
  fingerprint text collate "C" not null default '',
  stable_since timestamptz,
  sha256 text collate "C",
  reason_code text collate "C",
  reason text,
  file_id uuid,
  duplicate_of uuid,
  trace_id text collate "C",
  trace_parent text collate "C",
  actor text collate "C" not null,
  -- The arrival of the file that this one was unpacked from.
  container_arrival_id uuid,
  -- Bytes that were kept as received, of what is held, in quarantine or unpacked: a sealed object owned by this row.
  object_id uuid,
  object json,
  seen_at timestamptz not null,
  changed_at timestamptz not null,
  -- The file was moved, deleted or marked at its source after acceptance.
  released_at timestamptz,
  primary key (tenant_id, arrival_id)
) partition by range (arrival_id);
-- What is at a source, undecided or decided. No index says anything of the state, so that a move changes none.
create index arrivals_unreleased on headgate.arrivals (flow_id, source_id) where released_at is null;
create index arrivals_by_flow on headgate.arrivals (flow_id, arrival_id);
create index arrivals_by_object on headgate.arrivals (tenant_id, object_id) where object_id is not null;
create index arrivals_by_container on headgate.arrivals (tenant_id, container_arrival_id) where container_arrival_id is not null;

create table headgate.files (
  tenant_id uuid not null,
  file_id uuid not null,
  arrival_id uuid not null,
  flow_id uuid not null,
  name text collate "C" not null,
  bytes bigint not null,
  sha256 text collate "C" not null,
  -- The container as received, where the member was unpacked from one (decisions 4); else equal to the member.
  container_name text collate "C" not null,
  container_bytes bigint not null,
  container_sha256 text collate "C" not null,
  -- Steps of unpacking from the container to the member, in their order.
  via json not null default '[]',
  container_object_id uuid,
  container_object json,
  -- Where the container has an arrival of its own, which keeps it: it held this file, perhaps with others.
  container_arrival_id uuid,
  -- The sealed object of the member; `object` holds its name, wrapped key and place in a pack.
  object_id uuid not null,
  object json not null,
  accepted_number bigint not null,
  same_name_as uuid,
  accepted_at timestamptz not null,
  primary key (tenant_id, file_id)
) partition by range (file_id);
create index files_by_sha256 on headgate.files (tenant_id, sha256);
create index files_by_object on headgate.files (object_id);
create index files_by_container_object on headgate.files (tenant_id, container_object_id) where container_object_id is not null;
create index files_by_flow on headgate.files (flow_id, file_id);

-- What makes a file a duplicate (decisions 30), claimed in the accepting transaction. `left`: the arrival of a file that a source left and that has gone.
create table headgate.file_fingerprints (
  tenant_id uuid not null,
  flow_id uuid not null,
  kind text collate "C" not null check (kind in ('sha256', 'container', 'name', 'records', 'left')),
  value text collate "C" not null,
  file_id uuid not null,
  claimed_at timestamptz not null,
  primary key (tenant_id, flow_id, kind, value)
);

create table headgate.idempotency_keys (
  tenant_id uuid not null references headgate.tenants,
  scope text collate "C" not null,
  key text collate "C" not null,
  request_hash text collate "C" not null,
  status integer not null,
  response jsonb not null,
  created_at timestamptz not null,
  primary key (tenant_id, scope, key)
);
create index idempotency_keys_by_age on headgate.idempotency_keys (tenant_id, created_at);

-- Jobs, chunks, segments ---------------------------------------------------------------------------------------------------

create table headgate.jobs (
  tenant_id uuid not null,
  job_id uuid not null,
  flow_id uuid not null,
  flow_version_id uuid not null,
  file_id uuid not null,
  lineage_id uuid not null,
  accepted_number bigint not null,
  state text collate "C" not null check (state in ('queued', 'running', 'checking', 'held', 'delivering', 'completed', 'completed_with_failures', 'rejected', 'cancelled')),
  chunks integer not null check (chunks >= 0),
  chunks_done integer not null default 0,
  bytes bigint not null,
  records_read bigint not null default 0,
  records_valid bigint not null default 0,
  records_rejected bigint not null default 0,
  records_filtered bigint not null default 0,
  records_warned bigint not null default 0,
  -- Amounts by stage, control totals, verdict with its reasons, grouped findings: shapes of the engine, versioned by it.
  totals json,
  verdict text collate "C" check (verdict in ('accepted', 'partial', 'held', 'rejected')),
  reason_code text collate "C",
  reason text,
  -- What a person decided about it, and who; a cancelled job that still has deliveries in flight closes when they have ended.
  decision text collate "C" check (decision in ('release', 'reject', 'cancel')),
  decided_by text collate "C",
  -- Of a job that re-drives records of another of its lineage: which, to where, changed how and on whose decision; its receipt pins it.
  redrive json,
  trace_id text collate "C",
  trace_parent text collate "C",
  created_at timestamptz not null,
  started_at timestamptz,
  closed_at timestamptz,
  changed_at timestamptz not null,
  primary key (tenant_id, job_id),
  constraint jobs_conserve_records check (records_read = records_valid + records_rejected + records_filtered),
  constraint jobs_close_with_verdict check (state not in ('completed', 'completed_with_failures') or (verdict is not null and closed_at is not null))
) partition by range (job_id);
create index jobs_by_flow on headgate.jobs (flow_id, job_id);
create index jobs_by_file on headgate.jobs (file_id);
create index jobs_redriven on headgate.jobs (tenant_id, lineage_id) where redrive is not null;
create index jobs_by_state on headgate.jobs (tenant_id, state, job_id) where state not in ('completed', 'rejected', 'cancelled');

-- The unit of a claim: one chunk of a big file, or the only chunks of many small files of one flow version.
create table headgate.chunk_groups (
  tenant_id uuid not null,
  group_id uuid not null,
  flow_version_id uuid not null,
  state text collate "C" not null check (state in ('ready', 'running', 'done', 'failed', 'cancelled')),
  chunks integer not null,
  bytes bigint not null,
  fence bigint not null default 0,
  attempts integer not null default 0,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (tenant_id, group_id)
) partition by range (group_id);

create table headgate.chunks (
  tenant_id uuid not null,
  job_id uuid not null,
  chunk_number integer not null check (chunk_number >= 0),
  group_id uuid not null,
  start_byte bigint not null,
  end_byte bigint not null,
  first_record bigint not null,
  context json not null,
  -- Set by the commit that finished the chunk: the summary, and where its part of each segment lies.
  summary json,
  segments json,
  fence bigint,
  done_at timestamptz,
  primary key (tenant_id, job_id, chunk_number)
) partition by range (job_id);
create index chunks_by_group on headgate.chunks (group_id);

-- A sealed object that a group wrote. `object` holds its name and wrapped key (decisions 2).
create table headgate.segments (
  tenant_id uuid not null,
  segment_id uuid not null,
  group_id uuid not null,
  kind text collate "C" not null check (kind in ('output', 'outcome', 'rejections', 'exclusions')),
  target_id text collate "C",
  bytes bigint not null,
  sha256 text collate "C" not null,
  -- Id in the name of the stored object: the segment's own, or that of the pack that it shares with others.
  object_id uuid not null,
  object json not null,
  fence bigint not null,
  created_at timestamptz not null,
  primary key (tenant_id, segment_id)
) partition by range (segment_id);
create index segments_by_group on headgate.segments (group_id);
create index segments_by_object on headgate.segments (object_id);

-- Samples of findings (bounded per job); the complete list is in the rejections segments. Never content.
create table headgate.rejections (
  tenant_id uuid not null,
  job_id uuid not null,
  record_number bigint not null,
  finding integer not null,
  byte_offset bigint not null,
  severity text collate "C" not null check (severity in ('error', 'warn')),
  code text collate "C" not null,
  field text collate "C",
  rule text collate "C",
  message text not null,
  primary key (tenant_id, job_id, record_number, finding)
) partition by range (job_id);

-- Deliveries -----------------------------------------------------------------------------------------------------------------

-- Per job and target; amounts of a closed job are in its receipt, of an open one in its batches.
create table headgate.job_targets (
  tenant_id uuid not null,
  job_id uuid not null,
  target_id text collate "C" not null,
  routed bigint not null default 0,
  delivered bigint not null default 0,
  refused bigint not null default 0,
  dead bigint not null default 0,
  cancelled bigint not null default 0,
  primary key (tenant_id, job_id, target_id),
  constraint job_targets_never_exceed_routed check (delivered >= 0 and refused >= 0 and dead >= 0 and cancelled >= 0 and delivered + refused + dead + cancelled <= routed)
) partition by range (job_id);

-- Membership (`spans`, `members`) and `body_sha256` never change (decisions 16).
create table headgate.batches (
  tenant_id uuid not null,
  batch_id uuid not null,
  flow_id uuid not null,
  flow_version_id uuid not null,
  target_id text collate "C" not null,
  parent_batch_id uuid,
  lane smallint not null,
  -- What its lanes mean: batches whose target or key had other lanes wait for each other, whatever lane they are in. 0: no lanes.
  lane_scheme integer not null,
  order_number bigint not null,
  -- Place of its first record in the batch that was cut: the order of what a batch was split into.
  order_offset integer not null default 0,
  -- Where the target numbers its files.
  file_sequence bigint,
  state text collate "C" not null check (state in ('ready', 'sending', 'unknown', 'held', 'parked', 'acked', 'refused', 'split', 'dead', 'cancelled')),
  -- [{segmentId, ranges: [start, end, …]}] in order: the body is exactly these bytes.
  spans jsonb not null,
  -- [{jobId, lineageId, chunkNumber, outcomes, firstRecord, records, bytes, amounts, excluded?, only?}] in order.
  members jsonb not null,
  job_ids uuid[] not null,
  records integer not null check (records > 0),
  bytes bigint not null,
  body_sha256 text collate "C" not null,
  attempts integer not null default 0,
  unknown_attempts integer not null default 0,
  -- Attempts before it was held last: they count against no retry. Above 0 once it was held.
  held_attempts integer not null default 0,
  -- Attempts up to the last one, of what it is a part of, whose records the target decided about in part: they count against no retry either.
  decided_attempts integer not null default 0,
  -- When it was parked last, because its target's breaker was open; it stays when the batch goes on.
  parked_at timestamptz,
  -- The backup that its last attempt went to; null: its own target.
  via text collate "C",
  resolution_evidence text,
  reason_code text collate "C",
  trace_parent text collate "C",
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (tenant_id, batch_id)
) partition by range (batch_id);
create index batches_by_lane on headgate.batches (tenant_id, flow_id, target_id, lane, order_number) where state in ('ready', 'sending', 'unknown', 'held', 'parked');
create index batches_by_scheme on headgate.batches (tenant_id, flow_id, target_id, lane_scheme, order_number)
  where lane_scheme > 0 and state in ('ready', 'sending', 'unknown', 'held', 'parked');
create index batches_parked on headgate.batches (tenant_id, flow_id, target_id, (attempts > 3), batch_id) where state = 'parked';
create index batches_resumed on headgate.batches (tenant_id, flow_id, target_id) where parked_at is not null and state in ('ready', 'sending', 'unknown');
create index batches_sending on headgate.batches (tenant_id, flow_id, target_id) where state = 'sending';
create index batches_held on headgate.batches (tenant_id, flow_id, target_id) where state = 'held';
create index batches_rechecked on headgate.batches (tenant_id, flow_id, target_id, flow_version_id, order_number, order_offset, batch_id)
  where state in ('ready', 'sending', 'held') and (state = 'held' or held_attempts > 0);
create index batches_by_flow on headgate.batches (flow_id, batch_id);

-- Which batches hold records of a job: `job_ids` by job. (Row-level security keeps an index over the array from being used.)
create table headgate.batch_jobs (
  tenant_id uuid not null,
  job_id uuid not null,
  batch_id uuid not null,
  primary key (tenant_id, job_id, batch_id)
) partition by range (job_id);

-- The last number that a file of a target was given; and of files of returns and of their entries, under names that no target can have.
create table headgate.output_sequences (
  tenant_id uuid not null,
  flow_id uuid not null,
  target_id text collate "C" not null,
  last_number bigint not null check (last_number > 0),
  primary key (tenant_id, flow_id, target_id),
  foreign key (tenant_id, flow_id) references headgate.flows
);

-- What a target whose files end by time collects until then: one open collection for a flow version and target, and the parts of files
-- in it. Their records are routed already; batches are cut of them when the window ends, and the rows go with that.
create table headgate.collections (
  tenant_id uuid not null,
  collection_id uuid not null,
  flow_id uuid not null,
  flow_version_id uuid not null,
  target_id text collate "C" not null,
  is_open boolean not null default true,
  created_at timestamptz not null,
  primary key (tenant_id, collection_id)
);
create unique index collections_open on headgate.collections (tenant_id, flow_version_id, target_id) where is_open;

create table headgate.collected_parts (
  tenant_id uuid not null,
  part_id uuid not null,
  collection_id uuid not null,
  job_id uuid not null,
  -- As those of a batch; never changed.
  order_number bigint not null,
  spans jsonb not null,
  members jsonb not null,
  records integer not null check (records > 0),
  bytes bigint not null,
  body_sha256 text collate "C" not null,
  primary key (tenant_id, part_id),
  foreign key (tenant_id, collection_id) references headgate.collections
);
create index collected_parts_in_order on headgate.collected_parts (collection_id, tenant_id, order_number, part_id);
create index collected_parts_by_job on headgate.collected_parts (job_id);

create function headgate.refuse_batch_change() returns trigger language plpgsql set search_path = '' as $$
begin
  raise exception 'the membership of a batch never changes' using errcode = 'HG002';
end
$$;

create table headgate.attempts (
  tenant_id uuid not null,
  attempt_id uuid not null,
  batch_id uuid not null,
  attempt_number integer not null,
  fence bigint not null,
  possible_duplicate boolean not null,
  -- The backup that it went to; null: the target of the batch.
  via text collate "C",
  started_at timestamptz not null,
  ended_at timestamptz,
  -- null while it runs.
  outcome text collate "C" check (outcome in ('acked', 'refused', 'unknown')),
  resolved_as text collate "C" check (resolved_as in ('acked', 'refused', 'resent', 'dead', 'cancelled')),
  evidence text,
  -- Of an unknown one: its target was asked, and has nothing of what was sent under the id of the batch.
  is_absent boolean not null default false,
  reason_code text collate "C",
  -- What the target or the settings said, bounded, never content.
  message text,
  primary key (tenant_id, attempt_id),
  constraint attempts_resolve_with_evidence check (resolved_as is null or evidence is not null)
) partition by range (attempt_id);
create index attempts_by_batch on headgate.attempts (batch_id, attempt_number);

create table headgate.dead_letters (
  tenant_id uuid not null,
  dead_letter_id uuid not null,
  job_id uuid not null,
  flow_id uuid not null,
  target_id text collate "C" not null,
  batch_id uuid not null,
  record_number bigint not null,
  cause text collate "C" not null check (cause in ('refused', 'exhausted', 'blocked', 'poison', 'operator')),
  code text collate "C" not null,
  message text not null,
  -- What letters of one group have in common: code, target and the message without its numbers and ids.
  group_id text collate "C" not null check (group_id ~ '^[0-9a-f]{32}$'),
  shape text not null,
  amounts json not null default '{}',
  -- Of an attempt nobody knows whether it reached the target.
  may_be_there boolean not null,
  delivery_key text collate "C" not null,
  state text collate "C" not null default 'open' check (state in ('open', 'redriving', 'redriven', 'replaced', 'discarded', 'expired')),
  -- In words, of the last decision about it, and whose.
  reason text,
  decided_by text collate "C",
  -- When it was said that it will expire.
  warned_at timestamptz,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (tenant_id, dead_letter_id),
  foreign key (tenant_id, flow_id) references headgate.flows
) partition by range (dead_letter_id);
create index dead_letters_by_job on headgate.dead_letters (job_id, record_number);
create index dead_letters_by_flow on headgate.dead_letters (flow_id, tenant_id, dead_letter_id);
create index dead_letters_by_age on headgate.dead_letters (tenant_id, created_at) where state = 'open';
create index dead_letters_by_group on headgate.dead_letters (tenant_id, group_id, dead_letter_id) where state = 'open';

-- A decision to send records again: their dead letters, and one job for each job and target that they come from.
create table headgate.redrives (
  tenant_id uuid not null,
  redrive_id uuid not null,
  flow_id uuid not null,
  records integer not null check (records > 0),
  reason text not null,
  decided_by text collate "C" not null,
  created_at timestamptz not null,
  primary key (tenant_id, redrive_id),
  foreign key (tenant_id, flow_id) references headgate.flows
);
create index redrives_by_flow on headgate.redrives (flow_id, tenant_id);

create table headgate.redrive_members (
  tenant_id uuid not null,
  redrive_id uuid not null,
  dead_letter_id uuid not null,
  -- The job that sends it again.
  job_id uuid not null,
  record_number bigint not null,
  -- The key that the letter blocked, which is blocked again where it comes back.
  lane smallint,
  lane_scheme integer,
  key_hash text collate "C",
  -- What became of it; null while its job is open.
  settled text collate "C" check (settled in ('redriven', 'replaced', 'open')),
  primary key (tenant_id, redrive_id, dead_letter_id),
  foreign key (tenant_id, redrive_id) references headgate.redrives
);
create index redrive_members_by_job on headgate.redrive_members (job_id);
-- Keys that wait for the records which blocked them and are sent again.
create index redrive_members_blocking on headgate.redrive_members (tenant_id, lane) where settled is null and lane is not null;
-- A dead letter is in one open re-drive at most.
create unique index redrive_members_open on headgate.redrive_members (tenant_id, dead_letter_id) where settled is null;

-- Until when what was sent to a target with a rate is paid for at that rate, over all processes; in the past: saved up.
create table headgate.target_rates (
  tenant_id uuid not null,
  flow_id uuid not null,
  target_id text collate "C" not null,
  paid_until timestamptz not null,
  primary key (tenant_id, flow_id, target_id),
  foreign key (tenant_id, flow_id) references headgate.flows
);

-- Who probes a source or target of a flow now, so that over all processes one probe of it runs at a time; in the past: nobody.
create table headgate.probe_turns (
  tenant_id uuid not null,
  flow_id uuid not null,
  kind text collate "C" not null check (kind in ('source', 'target')),
  -- As the flow calls it.
  subject_id text collate "C" not null,
  taken_until timestamptz not null,
  primary key (tenant_id, flow_id, kind, subject_id),
  foreign key (tenant_id, flow_id) references headgate.flows
);

-- What the newest probes of each source and target found; the oldest beyond a hundred is deleted with each new one.
create table headgate.probes (
  tenant_id uuid not null,
  flow_id uuid not null,
  kind text collate "C" not null check (kind in ('source', 'target')),
  subject_id text collate "C" not null,
  probe_id uuid not null,
  -- Null: it is healthy.
  code text collate "C",
  message text not null check (length(message) <= 500),
  duration_ms integer not null check (duration_ms >= 0),
  asked_by text collate "C" not null check (asked_by in ('request', 'breaker')),
  probed_at timestamptz not null,
  primary key (tenant_id, flow_id, kind, subject_id, probe_id),
  foreign key (tenant_id, flow_id) references headgate.flows
);

-- The breaker of a target, shared by all processes, from its first failure on; without a row it is closed. Judged by the
-- database's clock (docs/breakers.md).
create table headgate.breakers (
  tenant_id uuid not null,
  breaker_id uuid not null,
  flow_id uuid not null,
  target_id text collate "C" not null,
  -- Whose target it was when it was told of last: its settings, and its connection.
  flow_version_id uuid not null,
  state text collate "C" not null check (state in ('closed', 'open', 'half_open')),
  -- What a person said, until it is `auto` again.
  mode text collate "C" not null check (mode in ('auto', 'open', 'closed')),
  -- When it came into its state, and how often its state has changed.
  since timestamptz not null,
  fence bigint not null default 0,
  -- Attempts, failures among them, and tries again: in the slice of the window that began at window_at, and in the one before.
  window_at timestamptz not null,
  calls integer not null,
  failures integer not null,
  retries integer not null,
  earlier_calls integer not null,
  earlier_failures integer not null,
  earlier_retries integer not null,
  failures_in_a_row integer not null,
  -- While it is half-open: successes less failures.
  score integer not null,
  -- Openings since the target last took all that it may.
  openings integer not null,
  probe_at timestamptz not null,
  -- Batches at once, in thousandths; null: what the flow says.
  limit_thousandths integer,
  -- What the target asked for.
  paused_until timestamptz not null,
  reason_code text collate "C",
  primary key (tenant_id, flow_id, target_id),
  unique (tenant_id, breaker_id),
  foreign key (tenant_id, flow_id) references headgate.flows
) with (fillfactor = 50);

-- Business keys of which a record was given up at a target that keeps their order: later records of the key are not sent
-- until the key is released (decisions 19). Hashes, never values; '' is every key of the lane, once a target has too many. Batches of other
-- lanes (lane_scheme) may hold the key in any of theirs.
create table headgate.blocked_keys (
  tenant_id uuid not null,
  flow_id uuid not null,
  target_id text collate "C" not null,
  lane smallint not null,
  lane_scheme integer not null,
  key_hash text collate "C" not null check (key_hash ~ '^([0-9a-f]{64})?$'),
  -- The record that was given up.
  job_id uuid not null,
  dead_letter_id uuid not null,
  blocked_at timestamptz not null,
  primary key (tenant_id, flow_id, target_id, lane, key_hash),
  foreign key (tenant_id, flow_id) references headgate.flows
);
create index blocked_keys_by_dead_letter on headgate.blocked_keys (dead_letter_id);
create index blocked_keys_by_scheme on headgate.blocked_keys (flow_id, target_id, lane_scheme);
create index blocked_keys_by_job on headgate.blocked_keys (job_id);

-- Ledger -----------------------------------------------------------------------------------------------------------------------

create table headgate.receipts (
  tenant_id uuid not null,
  job_id uuid not null,
  cell text collate "C" not null,
  region text collate "C" not null,
  -- RFC 8785 text, exactly as signed, and its detached JWS.
  body text collate "C" not null,
  signature text collate "C" not null,
  key_id text collate "C" not null,
  created_at timestamptz not null,
  primary key (tenant_id, job_id)
) partition by range (job_id);

-- What the sender of a file is told where its flow says so: a file for each level, asked for in the transaction that closes the job.
create table headgate.acknowledgements (
  tenant_id uuid not null,
  job_id uuid not null,
  acknowledgement_id uuid not null,
  level text collate "C" not null check (level in ('file', 'record')),
  state text collate "C" not null check (state in ('pending', 'sent', 'failed')),
  -- Of the file that was written, or that the last try was to write.
  name text collate "C",
  -- Tries that have ended.
  attempts integer not null default 0,
  -- Why the last try failed.
  reason_code text collate "C",
  reason text,
  -- Of a file of returns: its number among those of the flow, and that of its first entry among all that the flow returned. Null: it is none.
  return_file_number bigint check (return_file_number > 0),
  first_return_number bigint check (first_return_number > 0),
  created_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (tenant_id, job_id, level)
) partition by range (job_id);
create index acknowledgements_unsent on headgate.acknowledgements (tenant_id, state, job_id) where state <> 'sent';

-- What the downstream of a batch is to say of its records, from their delivery on (docs/answers.md). No content: words as bits.
create table headgate.answers (
  tenant_id uuid not null,
  batch_id uuid not null,
  flow_id uuid not null,
  target_id text collate "C" not null,
  -- Of the file that was sent, and without its ending; null where the batch is no file.
  name text collate "C",
  stem text collate "C",
  records integer not null check (records > 0),
  state text collate "C" not null check (state in ('awaited', 'overdue', 'complete')),
  -- A byte for each record, in the order of the body (record-answers.ts); empty while nothing was said.
  outcomes bytea not null default '',
  accepted integer not null default 0,
  refused integer not null default 0,
  pending integer not null default 0,
  -- Answers that contradicted what stands.
  contradicted integer not null default 0,
  -- The code of a refusal of all of it at once; empty: none was given. Its records are not listed one by one.
  refused_as_whole text collate "C",
  -- The job whose word about many records at once changed some last.
  shared_by uuid,
  -- The batch of answers that told of it last, how far (told-batch.ts), and which of its answers contradicted, by their place in it.
  told_by uuid,
  told_part smallint not null default 0,
  contradicting integer[] not null default '{}',
  -- Something was said of it after it was due.
  is_late boolean not null default false,
  due_at timestamptz not null,
  expected_at timestamptz not null,
  answered_at timestamptz,
  changed_at timestamptz not null,
  primary key (tenant_id, batch_id),
  constraint answers_count_their_records check (accepted >= 0 and refused >= 0 and pending >= 0 and accepted + refused + pending <= records),
  constraint answers_complete_when_decided check ((state = 'complete') = (accepted + refused = records)),
  constraint answers_tell_of_each_record check (length(outcomes) in (0, records))
) partition by range (batch_id);
create index answers_by_name on headgate.answers (tenant_id, flow_id, target_id, name) where name is not null;
create index answers_by_stem on headgate.answers (tenant_id, flow_id, target_id, stem) where stem is not null;
create index answers_by_target on headgate.answers (flow_id, target_id, batch_id);
create index answers_open on headgate.answers (tenant_id, state, batch_id) where state <> 'complete';
create index answers_refusing on headgate.answers (tenant_id, batch_id) where refused > 0;

-- Records that a downstream refused after they were delivered, one by one; they stay delivered.
create table headgate.answer_refusals (
  tenant_id uuid not null,
  batch_id uuid not null,
  -- In the body, from 0.
  position integer not null check (position >= 0),
  job_id uuid not null,
  record_number bigint not null,
  -- As the downstream gave it; null where it gave none.
  code text collate "C" check (length(code) <= 35),
  -- The record of the answer that says so.
  answer_job_id uuid not null,
  answer_record bigint not null,
  created_at timestamptz not null,
  primary key (tenant_id, batch_id, position)
) partition by range (batch_id);
create index answer_refusals_by_job on headgate.answer_refusals (job_id, record_number);

-- Events -----------------------------------------------------------------------------------------------------------------------

-- Written in the transaction of the change itself. `ordinal` counts from 0 within (tenant, transaction).
create table headgate.events (
  tenant_id uuid not null,
  event_id uuid not null,
  envelope_version smallint not null default 1,
  transaction_id uuid not null,
  ordinal integer not null,
  type text collate "C" not null,
  object_id uuid not null,
  from_state text collate "C" not null,
  to_state text collate "C" not null,
  actor text collate "C" not null,
  trace_id text collate "C",
  detail json,
  at timestamptz not null,
  primary key (tenant_id, event_id)
) partition by range (event_id);
create index events_by_transaction on headgate.events (transaction_id, ordinal);
create index events_by_object on headgate.events (object_id, event_id);

-- One row per writing transaction and tenant. The sequencer gives it `first_seq` once no older transaction can still
-- commit; an event's seq is first_seq + ordinal. Ids and numbers only.
create table headgate.event_transactions (
  tenant_id uuid not null,
  transaction_id uuid not null,
  xid xid8 not null default pg_current_xact_id(),
  events integer not null check (events > 0),
  first_seq bigint,
  primary key (tenant_id, transaction_id),
  unique (tenant_id, first_seq)
);
create index event_transactions_unsequenced on headgate.event_transactions (xid) where first_seq is null;

create table headgate.event_counters (
  tenant_id uuid not null references headgate.tenants,
  last_seq bigint not null default 0,
  primary key (tenant_id)
);

create table headgate.event_cursors (
  tenant_id uuid not null references headgate.tenants,
  subscriber text collate "C" not null,
  seq bigint not null default 0,
  fence bigint not null default 0,
  changed_at timestamptz not null,
  primary key (tenant_id, subscriber)
);

-- The work queue: ids and schedule only ----------------------------------------------------------------------------------------

create table headgate.work_items (
  tenant_id uuid not null references headgate.tenants,
  work_id uuid not null,
  kind text collate "C" not null check (kind in ('chunks', 'check', 'deliver', 'close', 'breaker', 'acknowledge', 'collect', 'answer')),
  -- The chunk group, job, batch, breaker or collection that the work is about; of `answer`: the batch that expects one.
  reference_id uuid not null,
  -- Work that must run one after the other shares a lane key; '' means none. Only the first of a lane is claimed, by lane
  -- order and offset; while it is leased or not due, the lane waits.
  lane_key text collate "C" not null default '',
  lane_order bigint not null default 0,
  lane_offset integer not null default 0,
  cost bigint not null default 1 check (cost > 0),
  due_at timestamptz not null,
  lease_until timestamptz,
  worker_id uuid,
  fence bigint not null default 0,
  -- Claims; and of them those that failed for a cause of the work's own, where these are counted.
  attempts integer not null default 0,
  failures integer not null default 0,
  primary key (tenant_id, kind, reference_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index work_items_ready on headgate.work_items (kind, tenant_id, due_at, work_id) where lease_until is null and lane_key = '';
create index work_items_lanes on headgate.work_items (kind, tenant_id, lane_key, lane_order, lane_offset, work_id) where lane_key <> '';
create index work_items_leased on headgate.work_items (lease_until) where lease_until is not null;

-- Virtual time of each kind of work: the start of the last service. Who had nothing to do for a while starts here, not at
-- where it was left, so that idle time is no credit.
create table headgate.work_clocks (
  kind text collate "C" primary key check (kind in ('chunks', 'check', 'deliver', 'close', 'breaker', 'acknowledge', 'collect', 'answer')),
  virtual_time double precision not null default 0
);
insert into headgate.work_clocks (kind) values ('chunks'), ('check'), ('deliver'), ('close'), ('breaker'), ('acknowledge'), ('collect'), ('answer');

-- Virtual time of each tenant per kind of work: who had least, by cost over weight, is served next. Claims alone keep the rest:
-- when the first free item without a lane, and the first of a free lane, are due (null: there is none), and whether the tenant
-- is in the line of those with something to claim.
create table headgate.tenant_shares (
  tenant_id uuid not null references headgate.tenants,
  kind text collate "C" not null,
  weight double precision not null default 1 check (weight > 0),
  virtual_time double precision not null default 0,
  loose_due_at timestamptz,
  lanes_due_at timestamptz,
  due_at timestamptz generated always as (least(loose_due_at, lanes_due_at)) stored,
  in_line boolean not null default false,
  primary key (tenant_id, kind)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index tenant_shares_line on headgate.tenant_shares (kind, virtual_time, tenant_id) where in_line;
create index tenant_shares_waiting on headgate.tenant_shares (kind, due_at) where not in_line and due_at is not null;

-- Says to the next claim that a tenant's work changed: written with every change that a claim did not make itself and that makes
-- an item free, or takes a free one or one of a lane away. Rows are only added and never collide, so that no writer waits for another.
create table headgate.work_notices (
  tenant_id uuid not null,
  kind text collate "C" not null,
  in_lane boolean not null,
  due_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index work_notices_by_kind on headgate.work_notices (kind, tenant_id);

create function headgate.notice_added_work() returns trigger language plpgsql set search_path = '' as $$
begin
  insert into headgate.work_notices (tenant_id, kind, in_lane, due_at)
  select a.tenant_id, a.kind, a.lane_key <> '', min(a.due_at) from added a group by a.tenant_id, a.kind, a.lane_key <> '';
  return null;
end
$$;

create function headgate.notice_changed_work() returns trigger language plpgsql set search_path = '' as $$
begin
  insert into headgate.work_notices (tenant_id, kind, in_lane, due_at)
  values (old.tenant_id, old.kind, old.lane_key <> '', coalesce(new.due_at, old.due_at));
  return null;
end
$$;

-- Triggers ---------------------------------------------------------------------------------------------------------------------

-- Makes the triggers that hold tables to their state machines. What the machine has now is let through by the conditions of
-- the triggers, without a call for each row; the function looks into the table before it refuses. To be run again when the table changes.
create function headgate.guard_states() returns void language plpgsql set search_path = '' as $$
declare
  v_guard record;
begin
  for v_guard in
    select g.machine, g.table_name, string_agg(distinct quote_literal(t.to_state), ', ') filter (where t.from_state = '') as starts,
      string_agg(distinct quote_literal(t.from_state || '>' || t.to_state), ', ') filter (where t.from_state <> '') as moves
    from (values ('arrival', 'arrivals'), ('job', 'jobs'), ('chunk_group', 'chunk_groups'), ('batch', 'batches'), ('breaker', 'breakers'), ('dead_letter', 'dead_letters'), ('acknowledgement', 'acknowledgements'), ('answer', 'answers'), ('flow_version', 'flow_versions')) g (machine, table_name)
    join headgate.state_transitions t on t.machine = g.machine group by g.machine, g.table_name
  loop
    execute format('create or replace trigger %I before insert on headgate.%I for each row when (new.state not in (%s)) execute function headgate.refuse_illegal_transition(%L)',
      v_guard.table_name || '_start', v_guard.table_name, v_guard.starts, v_guard.machine);
    execute format('create or replace trigger %I before update of state on headgate.%I for each row when (old.state <> new.state and old.state || ''>'' || new.state not in (%s)) execute function headgate.refuse_illegal_transition(%L)',
      v_guard.table_name || '_move', v_guard.table_name, v_guard.moves, v_guard.machine);
  end loop;
end
$$;
revoke execute on function headgate.guard_states() from public;
select headgate.guard_states();
create trigger batches_keep_members before update on headgate.batches for each row when (
  (new.spans, new.members, new.body_sha256, new.job_ids, new.records, new.target_id, new.lane, new.lane_scheme, new.order_number, new.order_offset, new.file_sequence)
  is distinct from (old.spans, old.members, old.body_sha256, old.job_ids, old.records, old.target_id, old.lane, old.lane_scheme, old.order_number, old.order_offset, old.file_sequence)
) execute function headgate.refuse_batch_change();
create trigger events_are_append_only before update or delete on headgate.events for each row execute function headgate.refuse_change();
-- Neither the place in the order nor the transaction's id is the writer's to say.
create trigger event_transactions_start before insert on headgate.event_transactions for each row when (new.first_seq is not null or new.xid <> pg_current_xact_id()) execute function headgate.refuse_change();
create trigger work_items_added after insert on headgate.work_items referencing new table as added for each statement execute function headgate.notice_added_work();
create trigger work_items_freed after update of lease_until, due_at on headgate.work_items for each row when (new.lease_until is null) execute function headgate.notice_changed_work();
create trigger work_items_removed after delete on headgate.work_items for each row when (old.lease_until is null or old.lane_key <> '') execute function headgate.notice_changed_work();
create trigger receipts_are_append_only before update or delete on headgate.receipts for each row execute function headgate.refuse_change();

-- Row-level security, grants, partitions ---------------------------------------------------------------------------------------

-- How full pages are made, in percent: rows that change or grow keep their page, and with it their places in indexes.
create function headgate.fill_of(p_table text) returns integer language sql immutable set search_path = '' as $$
  select case p_table when 'arrivals' then 50 when 'chunks' then 25 when 'job_targets' then 60 when 'attempts' then 50 else 100 end
$$;
revoke execute on function headgate.fill_of(text) from public;

do $$
declare
  v_table text;
  v_partition text;
begin
  foreach v_table in array array['tenants', 'definitions', 'api_keys', 'tenant_usage', 'flows', 'flow_versions', 'flow_counters', 'source_schedules', 'source_hints',
      'arrivals', 'files', 'file_fingerprints', 'idempotency_keys', 'jobs', 'chunk_groups', 'chunks', 'segments', 'rejections', 'job_targets',
      'redrives', 'redrive_members',
      'batches', 'batch_jobs', 'attempts', 'dead_letters', 'blocked_keys', 'target_rates', 'output_sequences', 'collections', 'collected_parts', 'probe_turns', 'probes', 'breakers', 'receipts', 'acknowledgements', 'answers', 'answer_refusals', 'events', 'event_transactions', 'event_counters', 'event_cursors', 'work_items', 'work_notices', 'tenant_shares'] loop
    execute format('alter table headgate.%I enable row level security', v_table);
    execute format('alter table headgate.%I force row level security', v_table);
    execute format($p$create policy tenant on headgate.%I using (tenant_id = nullif(current_setting('headgate.tenant', true), '')::uuid)$p$, v_table);
    execute format('alter table headgate.%I alter column tenant_id set statistics 0', v_table);
  end loop;
  -- The dispatcher's own policies: id-and-schedule-only tables (decisions 23).
  foreach v_table in array array['tenants', 'api_keys', 'source_schedules', 'event_transactions', 'event_counters', 'work_items', 'work_notices', 'tenant_shares'] loop
    execute format('create policy dispatcher on headgate.%I to headgate_dispatcher using (true)', v_table);
  end loop;
  foreach v_table in array array['arrivals', 'files', 'jobs', 'chunk_groups', 'chunks', 'segments', 'rejections', 'job_targets', 'batches', 'batch_jobs', 'attempts', 'dead_letters', 'receipts', 'acknowledgements', 'answers', 'answer_refusals', 'events'] loop
    v_partition := v_table || '_other';
    execute format('create table headgate.%I partition of headgate.%I default with (fillfactor = %s)', v_partition, v_table, headgate.fill_of(v_table));
    execute format('alter table headgate.%I enable row level security', v_partition);
    execute format('alter table headgate.%I force row level security', v_partition);
    execute format($p$create policy tenant on headgate.%I using (tenant_id = nullif(current_setting('headgate.tenant', true), '')::uuid)$p$, v_partition);
    execute format('alter table headgate.%I alter column tenant_id set statistics 0', v_partition);
  end loop;
end
$$;

-- Makes the partition of one calendar quarter (UUIDv7 bounds) for every big table; run by `headgate migrate up`.
-- Returns how many partitions it made. Where the default partition holds rows of that quarter already, they and those to come stay there.
create function headgate.make_partitions(p_quarter_start date) returns integer language plpgsql set search_path = '' as $$
declare
  v_table text;
  v_partition text;
  v_from uuid;
  v_to uuid;
  v_made integer := 0;
begin
  p_quarter_start := date_trunc('quarter', p_quarter_start)::date;
  v_from := (lpad(to_hex((extract(epoch from p_quarter_start::timestamp) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
  v_to := (lpad(to_hex((extract(epoch from (p_quarter_start + interval '3 months')) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
  foreach v_table in array array['arrivals', 'files', 'jobs', 'chunk_groups', 'chunks', 'segments', 'rejections', 'job_targets', 'batches', 'batch_jobs', 'attempts', 'dead_letters', 'receipts', 'acknowledgements', 'answers', 'answer_refusals', 'events'] loop
    v_partition := format('%s_%sq%s', v_table, to_char(p_quarter_start, 'YYYY'), to_char(p_quarter_start, 'Q'));
    if to_regclass('headgate.' || quote_ident(v_partition)) is null then
      -- Owners see no rows of such a table, but PostgreSQL does.
      begin
        execute format('create table headgate.%I partition of headgate.%I for values from (%L) to (%L) with (fillfactor = %s)', v_partition, v_table, v_from, v_to, headgate.fill_of(v_table));
      exception when check_violation then continue;
      end;
      execute format('alter table headgate.%I enable row level security', v_partition);
      execute format('alter table headgate.%I force row level security', v_partition);
      execute format($p$create policy tenant on headgate.%I using (tenant_id = nullif(current_setting('headgate.tenant', true), '')::uuid)$p$, v_partition);
      execute format('alter table headgate.%I alter column tenant_id set statistics 0', v_partition);
      v_made := v_made + 1;
    end if;
  end loop;
  return v_made;
end
$$;
revoke execute on function headgate.make_partitions(date) from public;

grant select on headgate.tenants, headgate.api_keys, headgate.event_counters to headgate_app;
grant insert, update on headgate.api_keys to headgate_app;
grant select, insert on headgate.definitions, headgate.batch_jobs, headgate.events, headgate.event_transactions, headgate.receipts, headgate.rejections to headgate_app;
grant select, insert, update on headgate.target_rates, headgate.output_sequences, headgate.probe_turns, headgate.breakers, headgate.tenant_usage, headgate.flows, headgate.flow_versions, headgate.flow_counters, headgate.arrivals, headgate.files,
  headgate.jobs, headgate.chunk_groups, headgate.chunks, headgate.segments, headgate.job_targets, headgate.batches, headgate.attempts, headgate.dead_letters,
  headgate.acknowledgements, headgate.answers, headgate.event_cursors to headgate_app;
grant select, insert, delete on headgate.answer_refusals, headgate.blocked_keys, headgate.probes, headgate.source_hints to headgate_app;
grant select, insert, update, delete on headgate.collections, headgate.collected_parts to headgate_app;
grant select, insert on headgate.redrives to headgate_app;
grant select, insert, update on headgate.redrive_members to headgate_app;
grant insert on headgate.work_notices to headgate_app;
grant select, insert, update, delete on headgate.source_schedules, headgate.file_fingerprints, headgate.idempotency_keys, headgate.work_items to headgate_app;

-- The dispatcher: what must see across tenants, each answer ids and schedule only -----------------------------------------------

grant select, insert, update on headgate.tenants to headgate_dispatcher;
grant select on headgate.api_keys to headgate_dispatcher;
grant select, update on headgate.source_schedules, headgate.event_transactions, headgate.work_items to headgate_dispatcher;
grant select, insert, update on headgate.event_counters, headgate.tenant_shares to headgate_dispatcher;
grant select, update on headgate.work_clocks to headgate_dispatcher;
grant select, delete on headgate.work_notices to headgate_dispatcher;

-- Makes a tenant, or returns the one of that name with its tier brought up to date. The caller must have checked that it may.
create function headgate.ensure_tenant(p_tenant_id uuid, p_name text, p_tier text, p_cell text, p_region text) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  v_tenant_id uuid;
  v_weight double precision := case p_tier when 'gold' then 4 when 'silver' then 2 else 1 end;
begin
  insert into headgate.tenants as t (tenant_id, name, tier, cell, region, created_at)
  values (p_tenant_id, p_name, p_tier, p_cell, p_region, headgate.clock())
  on conflict (name) do update set tier = excluded.tier
  returning t.tenant_id into v_tenant_id;
  insert into headgate.event_counters (tenant_id) values (v_tenant_id) on conflict do nothing;
  insert into headgate.tenant_shares (tenant_id, kind, weight)
  select v_tenant_id, k, v_weight from unnest(array['chunks', 'check', 'deliver', 'close', 'breaker', 'acknowledge', 'collect', 'answer']) k
  on conflict (tenant_id, kind) do update set weight = excluded.weight;
  return v_tenant_id;
end
$$;

create function headgate.find_tenant(p_name text) returns uuid language sql stable security definer set search_path = '' as $$
  select t.tenant_id from headgate.tenants t where t.name = p_name
$$;

create function headgate.list_tenants() returns table (tenant_id uuid, name text) language sql stable security definer set search_path = '' as $$
  select t.tenant_id, t.name from headgate.tenants t order by t.name
$$;

-- Whose key this is, while it is valid; no row otherwise.
create function headgate.authenticate_key(p_key_hash text) returns table (tenant_id uuid, tenant_name text, key_id uuid, scopes text[])
language sql stable security definer set search_path = '' as $$
  select k.tenant_id, t.name, k.key_id, k.scopes
  from headgate.api_keys k join headgate.tenants t on t.tenant_id = k.tenant_id
  where k.key_hash = p_key_hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > headgate.clock())
$$;

-- Leases sources that are due. The poller sets due_at again and clears the lease when it is done.
create function headgate.list_due_sources(p_worker uuid, p_limit integer, p_lease_ms integer)
returns table (tenant_id uuid, flow_id uuid, source_id text, fence bigint, late_ms bigint, is_hinted boolean, is_listing boolean)
language sql volatile security definer set search_path = '' as $$
  update headgate.source_schedules s
  set lease_until = headgate.clock() + p_lease_ms * interval '1 millisecond', worker_id = p_worker, fence = s.fence + 1
  from (select d.tenant_id, d.flow_id, d.source_id, (extract(epoch from headgate.clock() - d.due_at) * 1000)::bigint as late_ms from headgate.source_schedules d
        where d.due_at <= headgate.clock() and (d.lease_until is null or d.lease_until <= headgate.clock())
        order by d.due_at limit p_limit for update skip locked) due
  where s.tenant_id = due.tenant_id and s.flow_id = due.flow_id and s.source_id = due.source_id
  returning s.tenant_id, s.flow_id, s.source_id, s.fence, due.late_ms, s.hinted, not s.hinted or s.list_due_at <= headgate.clock()
$$;

-- Claims ready work of one kind under a fenced lease, fairly by cost and weight between tenants: start-time fair queueing
-- (docs/decisions/0003-fair-claims.md). Claims of one kind wait for each other: the answer is a batch, so this is one short
-- wait per batch. A row that another transaction is changing is passed over, so that no open transaction holds up the queue.
-- The planner is held to the indexes, and to the plan it made: this table goes from nothing to very much faster than its
-- statistics. For the same reason rows found once are taken again by their place.
create function headgate.claim_work(p_kind text, p_limit integer, p_worker uuid, p_lease_ms integer)
returns table (tenant_id uuid, work_id uuid, reference_id uuid, lane_key text, fence bigint, attempts integer, cost bigint)
language plpgsql volatile security definer set search_path = ''
set enable_seqscan = off set enable_bitmapscan = off set enable_mergejoin = off set enable_hashjoin = off set enable_material = off
set plan_cache_mode = force_generic_plan as $$
declare
  v_now timestamptz;
  v_clock double precision;
begin
  perform pg_advisory_xact_lock(7270, hashtext(p_kind));
  v_now := headgate.clock();
  select c.virtual_time into strict v_clock from headgate.work_clocks c where c.kind = p_kind;

  -- Tenants whose work changed. A notice commits with its change, so that what is not seen here is there for the next claim.
  perform from headgate.work_notices n where n.kind = p_kind limit 1;
  if found then
    with given as materialized (select n.ctid as place from headgate.work_notices n where n.kind = p_kind limit 10000),
    notices as (delete from headgate.work_notices n using given g where n.ctid = g.place returning n.tenant_id, n.in_lane, n.due_at),
    changed as materialized (
      select n.tenant_id, min(n.due_at) filter (where not n.in_lane) as loose_due_at, bool_or(n.in_lane) as in_lane from notices n group by n.tenant_id
    ),
    found as (
      select c.tenant_id,
        case when c.loose_due_at is null then o.loose_due_at else
          (select w.due_at from headgate.work_items w
           where w.kind = p_kind and w.tenant_id = c.tenant_id and w.lease_until is null and w.lane_key = ''
             and w.due_at >= least(o.loose_due_at, c.loose_due_at) order by w.due_at, w.work_id limit 1) end as loose_due_at,
        case when not c.in_lane then o.lanes_due_at else
          (with recursive lanes as (
             (select w.lane_key, w.lease_until, w.due_at from headgate.work_items w
              where w.kind = p_kind and w.tenant_id = c.tenant_id and w.lane_key <> '' order by w.lane_key, w.lane_order, w.lane_offset, w.work_id limit 1)
             union all
             select n.lane_key, n.lease_until, n.due_at from lanes l cross join lateral (
               select w.lane_key, w.lease_until, w.due_at from headgate.work_items w
               where w.kind = p_kind and w.tenant_id = c.tenant_id and w.lane_key <> '' and w.lane_key > l.lane_key
               order by w.lane_key, w.lane_order, w.lane_offset, w.work_id limit 1) n
           )
           select min(l.due_at) from lanes l where l.lease_until is null) end as lanes_due_at
      from changed c cross join lateral (
        select x.loose_due_at, x.lanes_due_at from headgate.tenant_shares x where x.tenant_id = c.tenant_id and x.kind = p_kind limit 1) o
    )
    update headgate.tenant_shares s
    set loose_due_at = f.loose_due_at, lanes_due_at = f.lanes_due_at, in_line = s.in_line and coalesce(least(f.loose_due_at, f.lanes_due_at) <= v_now, false)
    from found f where s.tenant_id = f.tenant_id and s.kind = p_kind;
  end if;

  -- Tenants whose work is due by now, the longest first: so few that they are read in that order, not all and sorted. They start
  -- at the clock, not at where they were left.
  with due as materialized (
    select s.ctid as place from headgate.tenant_shares s
    where s.kind = p_kind and not s.in_line and s.due_at <= v_now order by s.kind, s.due_at limit 100
  )
  update headgate.tenant_shares s set in_line = true, virtual_time = greatest(s.virtual_time, v_clock)
  from due d where s.ctid = d.place;

  perform from headgate.tenant_shares s where s.kind = p_kind and s.in_line limit 1;
  if not found then return; end if;

  return query
  -- Who may be served: no more tenants than items are asked for, those with the earliest start.
  with line as materialized (
    select s.tenant_id, s.weight, greatest(s.virtual_time, v_clock) as start, s.loose_due_at, s.lanes_due_at
    from headgate.tenant_shares s where s.kind = p_kind and s.in_line order by s.kind, s.virtual_time, s.tenant_id limit p_limit
  ),
  shares as materialized (
    select least(p_limit, greatest(2, ceil(4.0 * p_limit / greatest(1, count(*))))) as most, case when count(*) = p_limit then max(l.start) end as last from line l
  ),
  -- With a tenant for each item asked for, nothing that starts after the first item of the last of them is served; an item costs at least 1.
  turns as materialized (
    select l.*, least(s.most, 1 + floor((s.last - l.start) * l.weight))::integer as most from line l cross join shares s
  ),
  -- The first free items of each, and one more: when the next is due.
  free as (
    select r.tenant_id, r.loose_due_at, r.lanes_due_at, i.place, i.work_id, i.due_at, i.in_lane, i.cost / r.weight as service,
           r.start + (sum(i.cost) over own - i.cost) / r.weight as start,
           i.due_at <= v_now
             and case when i.in_lane then count(*) filter (where i.in_lane) over own else count(*) filter (where not i.in_lane) over own end <= r.most as is_candidate
    from turns r
    left join lateral (
      (select w.ctid as place, w.work_id, w.cost, w.due_at, false as in_lane from headgate.work_items w
       where w.kind = p_kind and w.tenant_id = r.tenant_id and w.lease_until is null and w.lane_key = '' and w.due_at >= r.loose_due_at
         and r.loose_due_at <= v_now
       order by w.due_at, w.work_id limit r.most + 1)
      union all
      (with recursive lanes as (
         (select w.lane_key, w.ctid as place, w.work_id, w.cost, w.lease_until, w.due_at from headgate.work_items w
          where w.kind = p_kind and w.tenant_id = r.tenant_id and w.lane_key <> ''
          order by w.lane_key, w.lane_order, w.lane_offset, w.work_id limit 1)
         union all
         select n.lane_key, n.place, n.work_id, n.cost, n.lease_until, n.due_at from lanes l cross join lateral (
           select w.lane_key, w.ctid as place, w.work_id, w.cost, w.lease_until, w.due_at from headgate.work_items w
           where w.kind = p_kind and w.tenant_id = r.tenant_id and w.lane_key <> '' and w.lane_key > l.lane_key
           order by w.lane_key, w.lane_order, w.lane_offset, w.work_id limit 1) n
       )
       select l.place, l.work_id, l.cost, l.due_at, true from lanes l
       where l.lease_until is null and r.lanes_due_at <= v_now order by l.due_at, l.work_id limit r.most + 1)
    ) i on true
    window own as (partition by r.tenant_id order by i.due_at, i.work_id rows unbounded preceding)
  ),
  ranked as (select f.*, row_number() over (order by f.is_candidate desc nulls last, f.start, f.work_id) as rank from free f),
  tried as materialized (
    select r.*, l.place is not null as is_ours
    from ranked r left join lateral (
      select w.ctid as place from headgate.work_items w
      where r.is_candidate and r.rank <= p_limit and w.ctid = r.place and w.lease_until is null for update skip locked) l on true
  ),
  served as (
    update headgate.tenant_shares s
    set virtual_time = coalesce(x.finish, s.virtual_time), loose_due_at = x.loose_due_at, lanes_due_at = x.lanes_due_at,
        in_line = coalesce(least(x.loose_due_at, x.lanes_due_at) <= v_now, false)
    from (
      select t.tenant_id, max(t.start + t.service) filter (where t.is_ours) as finish,
        -- Who waits for a time yet to come was not looked at.
        least(max(t.loose_due_at) filter (where t.loose_due_at > v_now), min(t.due_at) filter (where not t.is_ours and not t.in_lane)) as loose_due_at,
        least(max(t.lanes_due_at) filter (where t.lanes_due_at > v_now), min(t.due_at) filter (where not t.is_ours and t.in_lane)) as lanes_due_at
      from tried t group by t.tenant_id
    ) x
    where s.tenant_id = x.tenant_id and s.kind = p_kind
      and (x.finish is not null or s.loose_due_at is distinct from x.loose_due_at or s.lanes_due_at is distinct from x.lanes_due_at)
  ),
  advanced as (
    update headgate.work_clocks c set virtual_time = x.start
    from (select max(t.start) as start from tried t where t.is_ours) x where c.kind = p_kind and x.start > c.virtual_time
  )
  update headgate.work_items w
  set lease_until = v_now + p_lease_ms * interval '1 millisecond', worker_id = p_worker, fence = w.fence + 1, attempts = w.attempts + 1
  from tried t
  where t.is_ours and w.ctid = t.place
  returning w.tenant_id, w.work_id, w.reference_id, w.lane_key, w.fence, w.attempts, w.cost;
end
$$;

-- Work whose lease has run out. The rescuer returns each to the queue in its own tenant's transaction.
create function headgate.sweep(p_limit integer) returns table (tenant_id uuid, work_id uuid, kind text, reference_id uuid, fence bigint, attempts integer)
language sql volatile security definer set search_path = '' as $$
  select w.tenant_id, w.work_id, w.kind, w.reference_id, w.fence, w.attempts from headgate.work_items w
  where w.lease_until is not null and w.lease_until <= headgate.clock()
  order by w.lease_until limit p_limit
$$;

-- Queue depth by kind, for metrics and desired workers.
create function headgate.count_work() returns table (kind text, ready bigint, leased bigint, oldest_due timestamptz)
language sql stable security definer set search_path = '' as $$
  select w.kind, count(*) filter (where w.lease_until is null), count(*) filter (where w.lease_until is not null), min(w.due_at)
  from headgate.work_items w group by w.kind
$$;

-- Gives sequence numbers to event transactions that no running transaction can precede any more. Gapless per tenant.
create function headgate.sequence_events(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_count integer;
begin
  perform pg_advisory_xact_lock(7271, 0);
  with pending as (
    select e.tenant_id, e.transaction_id, e.xid, e.events from headgate.event_transactions e
    where e.first_seq is null and e.xid < pg_snapshot_xmin(pg_current_snapshot())
    order by e.xid, e.transaction_id limit p_limit
  ),
  numbered as (
    select p.tenant_id, p.transaction_id,
           c.last_seq + 1 + coalesce(sum(p.events) over (partition by p.tenant_id order by p.xid, p.transaction_id rows between unbounded preceding and 1 preceding), 0) as first_seq
    from pending p join headgate.event_counters c on c.tenant_id = p.tenant_id
  ),
  advanced as (
    update headgate.event_counters c set last_seq = c.last_seq + x.events
    from (select p.tenant_id, sum(p.events) as events from pending p group by p.tenant_id) x
    where c.tenant_id = x.tenant_id
  )
  update headgate.event_transactions e set first_seq = n.first_seq from numbered n
  where e.tenant_id = n.tenant_id and e.transaction_id = n.transaction_id;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Takes or keeps a leadership on the database's clock: the fence while it is held, null otherwise.
create function headgate.lead(p_role text, p_holder uuid, p_lease_ms integer) returns bigint language sql volatile set search_path = '' as $$
  insert into headgate.leaders as l (role, holder, fence, until)
  values (p_role, p_holder, 1, headgate.clock() + p_lease_ms * interval '1 millisecond')
  on conflict (role) do update
    set holder = excluded.holder, until = excluded.until, fence = l.fence + (l.holder <> excluded.holder)::integer
    where l.holder = excluded.holder or l.until <= headgate.clock()
  returning fence
$$;

grant create on schema headgate to headgate_dispatcher;
do $$
declare
  v_function regprocedure;
begin
  for v_function in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'headgate'::regnamespace and p.prosecdef loop
    execute format('revoke execute on function %s from public', v_function);
    execute format('grant execute on function %s to headgate_app', v_function);
    execute format('alter function %s owner to headgate_dispatcher', v_function);
  end loop;
end
$$;
revoke create on schema headgate from headgate_dispatcher;
